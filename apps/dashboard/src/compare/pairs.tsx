/**
 * The table of the compared operations.
 *
 * Owns: its pages, the filter, and the pair that is open. The first outcome that differs is marked.
 */
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import { runPath } from "../router.ts";
import { StateIcon } from "../timeline/icons.tsx";
import { kindOf, nameOf } from "../timeline/row-text.ts";
import type { Row } from "../timeline/rows.ts";
import { formatDuration } from "../timeline/times.ts";
import { visible } from "../ui/text.tsx";
import { type Pair, deltaOf, firstDifference, lengthOf, outcomeOf } from "./align.ts";
import { ValueDifferences } from "./differences.tsx";

interface PairTableProps {
  readonly pairs: readonly Pair[];
  /** Until when an open operation of each run lasts. */
  readonly nows: readonly [number, number];
  readonly runs: readonly [string, string];
}

const PAGE = 200;
const WORDS: Readonly<Record<Pair["difference"], string>> = {
  none: "same",
  missing: "missing",
  outcome: "differs",
  open: "one is open",
};

export function PairTable({ pairs, nows, runs }: PairTableProps): JSX.Element {
  const [onlyDifferent, setOnlyDifferent] = useState(false);
  const [count, setCount] = useState(PAGE);
  const [open, setOpen] = useState<string>();
  const first = pairs[firstDifference(pairs)];
  const differing = pairs.filter(({ difference }) => difference !== "none");
  const shown = onlyDifferent ? differing : pairs;
  return (
    <>
      <Summary
        pairs={pairs}
        count={differing.length}
        first={first}
        onlyDifferent={onlyDifferent}
        onChange={() => setOnlyDifferent(!onlyDifferent)}
      />
      <div class="table-scroll" tabIndex={0} role="region" aria-label="Operations of both runs">
        <table class="pairs">
          <Head />
          <tbody>
            {shown.slice(0, count).map((pair) => (
              <Fragment key={pair.key}>
                <PairRow
                  pair={pair}
                  nows={nows}
                  isFirst={pair === first}
                  isOpen={pair.key === open}
                  onOpen={() => setOpen(pair.key === open ? undefined : pair.key)}
                />
                {pair.key === open && <OpenPair pair={pair} runs={runs} />}
              </Fragment>
            ))}
          </tbody>
        </table>
      </div>
      <More count={count} of={shown.length} onMore={() => setCount(count + 5 * PAGE)} />
    </>
  );
}

interface SummaryProps extends Pick<PairTableProps, "pairs"> {
  readonly count: number;
  readonly first: Pair | undefined;
  readonly onlyDifferent: boolean;
  readonly onChange: () => void;
}

function Summary({ pairs, count, first, onlyDifferent, onChange }: SummaryProps): JSX.Element {
  return (
    <p class="bar">
      <span role="status">
        {count.toLocaleString("en")} of {pairs.length.toLocaleString("en")} operations differ
        {first !== undefined && `, first ${visible(nameOfPair(first).slice(0, 120))}`}
      </span>
      <label>
        <input type="checkbox" checked={onlyDifferent} onChange={onChange} /> Only differences
      </label>
    </p>
  );
}

interface MoreProps {
  readonly count: number;
  readonly of: number;
  readonly onMore: () => void;
}

function More({ count, of, onMore }: MoreProps): JSX.Element | null {
  if (of <= count) return null;
  return (
    <p class="more">
      <button type="button" onClick={onMore}>
        Show more
      </button>
      <span class="muted">
        {count.toLocaleString("en")} of {of.toLocaleString("en")} are shown
      </span>
    </p>
  );
}

function Head(): JSX.Element {
  return (
    <thead>
      <tr>
        {["Operation", "Outcome", "A", "B", "Duration A", "Duration B", "Δ", "Attempts"].map((name) => (
          <th scope="col" key={name}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface PairRowProps {
  readonly pair: Pair;
  readonly nows: readonly [number, number];
  readonly isFirst: boolean;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
}

function PairRow({ pair, nows, isFirst, isOpen, onOpen }: PairRowProps): JSX.Element {
  const { a, b, difference } = pair;
  const delta = deltaOf(pair, ...nows);
  return (
    <tr class={`is-${difference}`} data-first={isFirst ? "" : undefined}>
      <th scope="row">
        <button type="button" class="link" aria-expanded={isOpen} onClick={onOpen} data-row>
          <bdi>{visible(nameOfPair(pair))}</bdi>
        </button>
      </th>
      <td>
        {isFirst && <strong>first difference: </strong>}
        {WORDS[difference]}
      </td>
      <td>{a && <State row={a} />}</td>
      <td>{b && <State row={b} />}</td>
      <td class="num">{a && durationText(a, nows[0])}</td>
      <td class="num">{b && durationText(b, nows[1])}</td>
      <td class="num">{delta !== undefined && `${delta > 0 ? "+" : ""}${formatDuration(delta)}`}</td>
      <td class="num">{[a, b].map((row) => row?.attempts || "–").join(" / ")}</td>
    </tr>
  );
}

function State({ row }: { readonly row: Row }): JSX.Element {
  return (
    <span class="pair-state">
      <StateIcon state={row.state} /> {row.state}
    </span>
  );
}

function OpenPair({
  pair: { a, b },
  runs,
}: {
  readonly pair: Pair;
  readonly runs: PairTableProps["runs"];
}): JSX.Element {
  return (
    <tr>
      <td colSpan={8}>
        <ValueDifferences name="Outcome" a={a && outcomeOf(a).value} b={b && outcomeOf(b).value} />
        <p class="pair-links">
          {a && <a href={runPath(runs[0], { op: a.id })}>Open in A</a>}
          {b && <a href={runPath(runs[1], { op: b.id })}>Open in B</a>}
        </p>
      </td>
    </tr>
  );
}

/** A result that is taken over took no time in this run. */
function durationText(row: Row, now: number): string {
  return row.state === "taken over" ? "–" : formatDuration(lengthOf(row, now));
}

function nameOfPair({ a, b, isRenamed }: Pair): string {
  const row = a ?? b;
  if (row === undefined) return "";
  const name = `${kindOf(row)} ${nameOf(row).name}`;
  return isRenamed && b !== undefined ? `${name} → ${nameOf(b).name}` : name;
}
