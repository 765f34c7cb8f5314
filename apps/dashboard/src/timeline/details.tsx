/**
 * The details of the selected row: its attempts, its times, its error and its value.
 *
 * Owns: the panel. Everything in it is text.
 */
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";
import { type Entry, fieldOf, textOf } from "./entries.ts";
import { StateIcon } from "./icons.tsx";
import { durationOf, extentOf, kindOf, nameOf } from "./row-text.ts";
import type { Row, Span } from "./rows.ts";
import { type TimeFormat, formatAbsolute, formatDuration, formatTime } from "./times.ts";

interface DetailsProps {
  readonly row: Row;
  readonly now: number;
  readonly format: TimeFormat;
  /** Shows a value of the run. */
  readonly renderValue: (value: unknown) => JSX.Element;
  readonly extras?: JSX.Element | null | undefined;
  readonly onClose: () => void;
}

export function Details({ row, now, format, renderValue, extras, onClose }: DetailsProps): JSX.Element {
  const { from, to } = extentOf(row, now);
  const shown = row.spans.filter(({ kind }) => kind !== "delay");
  return (
    <section class="tl-details" aria-label={visible(`Details of ${nameOf(row).name}`)}>
      <header>
        <StateIcon state={row.state} />
        <h2>{visible(nameOf(row).name)}</h2>
        <button type="button" class="tl-close" aria-label="Close the details" onClick={onClose}>
          ×
        </button>
      </header>
      <dl>
        <Fact name={kindOf(row)} value={row.state} />
        <Moment name="Start" at={from} format={format} />
        {row.spans.some((span) => span.to === undefined) ? null : <Moment name="End" at={to} format={format} />}
        <Fact name="Duration" value={durationOf(row, now) || "a moment"} />
        {row.until === undefined ? null : <Moment name="Until" at={row.until} format={format} />}
        {row.childRunId === undefined ? null : <Fact name="Run" value={row.childRunId} />}
        {row.nth === undefined ? null : <Fact name="Request" value={`no. ${row.nth}`} />}
      </dl>
      {extras}
      {shown.some(({ kind }) => kind === "attempt") ? <Attempts spans={row.spans} now={now} format={format} /> : null}
      {valuesOf(row.entries).map(([name, value]) => (
        <div key={name} class="tl-value" tabIndex={0} role="region" aria-label={name}>
          <h3>{name}</h3>
          {renderValue(value)}
        </div>
      ))}
    </section>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Moment({
  name,
  at,
  format,
}: {
  readonly name: string;
  readonly at: number;
  readonly format: TimeFormat;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={formatAbsolute(at, format.zone)}>{formatTime(at, format)}</dd>
    </div>
  );
}

function Attempts({
  spans,
  now,
  format,
}: {
  readonly spans: readonly Span[];
  readonly now: number;
  readonly format: TimeFormat;
}): JSX.Element {
  return (
    <table class="tl-attempts">
      <thead>
        <tr>
          <th scope="col">Attempt</th>
          <th scope="col">After</th>
          <th scope="col">Took</th>
        </tr>
      </thead>
      <tbody>
        {spans.map(({ kind, from, to, state, attempt, error }) =>
          kind === "attempt" ? (
            <tr key={from}>
              <td>
                <StateIcon state={state} /> {attempt} {state}
                {error === undefined ? null : <p class="tl-error">{visible(messageOf(error).slice(0, 2_000))}</p>}
              </td>
              <td title={formatAbsolute(from, format.zone)}>{formatDuration(from - (spans[0]?.from ?? from))}</td>
              <td>{formatDuration((to ?? Math.max(from, now)) - from)}</td>
            </tr>
          ) : null,
        )}
      </tbody>
    </table>
  );
}

function messageOf(error: unknown): string {
  const [name, message] = [textOf(fieldOf(error, "name")), textOf(fieldOf(error, "message")) ?? ""];
  return name === undefined || name === "Error" ? message : `${name}: ${message}`;
}

/** The values of an operation, from its newest entry that has them. */
function valuesOf(entries: readonly Entry[]): (readonly [string, unknown])[] {
  const names = { value: "Result", outcome: "Outcome", change: "Change", progress: "Progress", error: "Error" };
  return Object.entries(names).flatMap(([field, name]) => {
    const entry = entries.findLast((one) => one[field] !== undefined && one[field] !== null);
    return entry === undefined || (field === "error" && entry.type === "step.retrying")
      ? []
      : [[name, entry[field]] as const];
  });
}
