/**
 * The form of a backfill: the runs of past ticks.
 *
 * Owns: its range, which begins a day ago, and the question what it would start, which changes nothing.
 */
import type { Backfill, PreviewedTime } from "@holdfast/workflows/client";
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { SelectField, TextField } from "../act/field.tsx";
import { serverNow } from "../clock.ts";
import { type Failure, FailureNote, failureOf } from "../failure.tsx";
import { Check } from "../flow/check.tsx";
import { OperationDialog } from "../flow/operation.tsx";
import { count } from "../limits/limit-text.ts";
import { api } from "../session.ts";
import { type FormProps, pathOf } from "./schedule-request.ts";
import { localText } from "./schedule-text.ts";

interface Fields {
  readonly from: string;
  readonly until: string;
  readonly overlap: "queue" | "skip" | "allow";
  readonly rate: string;
  readonly newestFirst: boolean;
  readonly again: boolean;
}

const DAY_MS = 86_400_000;
const RATE_MAX = 600;

function firstFields(): Fields {
  const now = serverNow();
  const [from, until] = [now - DAY_MS, now].map((at) => new Date(at).toISOString().replace(/:\d\d\.\d+Z$/, ":00Z"));
  return { from: from ?? "", until: until ?? "", overlap: "queue", rate: "60", newestFirst: false, again: false };
}

const OVERLAPS = [
  ["queue", "one run after the other"],
  ["skip", "skip a tick while a run executes"],
  ["allow", "beside each other"],
] as const;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

function isTime(text: string): boolean {
  return TIME.test(text) && !Number.isNaN(Date.parse(text));
}

type Problems = Readonly<Partial<Record<"from" | "until" | "rate", string>>>;

function problemsOf({ from, until, rate }: Fields): Problems {
  const wrong = "A time with its offset, such as 2027-01-31T09:00:00Z.";
  const isRate = /^\d+$/.test(rate) && Number(rate) >= 1 && Number(rate) <= RATE_MAX;
  const isRange = Date.parse(until) > Date.parse(from);
  return {
    ...(isTime(from) ? {} : { from: wrong }),
    ...(!isTime(until) ? { until: wrong } : isRange ? {} : { until: "It must be later than from." }),
    ...(isRate ? {} : { rate: `A whole number from 1 to ${RATE_MAX}.` }),
  };
}

/** The command that sends the same. */
function argsOf(id: string, { from, until, overlap, rate, newestFirst, again }: Fields): readonly string[] {
  const flags = [...(newestFirst ? ["--newest-first"] : []), ...(again ? ["--again"] : [])];
  const range = ["--from", from, "--until", until, "--overlap", overlap, "--rate", rate];
  return ["holdfast", "schedule", "backfill", id, ...range, ...flags];
}

export function BackfillForm({ schedule: { id, tz }, onClose, onDone }: FormProps): JSX.Element {
  const [fields, setFields] = useState(firstFields);
  const problems = problemsOf(fields);
  const isInvalid = Object.keys(problems).length > 0;
  const body = { ...fields, rate: Number(fields.rate) } satisfies Backfill;
  const send = async (): Promise<ComponentChildren> => {
    const { total } = await api().schedule(id).backfill(body);
    onDone();
    return `The backfill of ${count(total, "tick")} is in progress.`;
  };
  return (
    <OperationDialog
      name="Backfill"
      subject={id}
      does={`Starts the runs of past ticks, at most 10,000. What has run does not run again. Patterns are in the zone ${tz}.`}
      scope="operate"
      request={{ verb: "POST", path: pathOf(id, "/backfill"), body }}
      command={{ args: argsOf(id, fields) }}
      isInvalid={isInvalid}
      send={send}
      onClose={onClose}
    >
      <BackfillFields
        fields={fields}
        problems={problems}
        onChange={(more) => setFields((one) => ({ ...one, ...more }))}
      />
      <DryRun id={id} body={body} isInvalid={isInvalid} />
    </OperationDialog>
  );
}

interface FieldsProps {
  readonly fields: Fields;
  readonly problems: Problems;
  readonly onChange: (more: Partial<Fields>) => void;
}

function BackfillFields({ fields, problems, onChange }: FieldsProps): JSX.Element {
  const { newestFirst, again } = fields;
  const text = (label: string, name: "from" | "until" | "rate"): JSX.Element => (
    <TextField
      label={label}
      problem={problems[name]}
      isMono
      value={fields[name]}
      onText={(value) => onChange({ [name]: value })}
    />
  );
  return (
    <>
      <div class="act-row">
        {text("From", "from")}
        {text("Until, exclusive", "until")}
      </div>
      <div class="act-row">
        <SelectField
          label="Runs start"
          problem={undefined}
          value={fields.overlap}
          options={OVERLAPS}
          onChange={(value) => onChange({ overlap: OVERLAPS.find(([one]) => one === value)?.[0] ?? "queue" })}
        />
        {text("Runs a minute", "rate")}
      </div>
      <Check
        label="Begin with the newest tick"
        isChecked={newestFirst}
        onChange={(value) => onChange({ newestFirst: value })}
      />
      <Check
        label="Start also what has run already"
        isChecked={again}
        onChange={(value) => onChange({ again: value })}
      />
    </>
  );
}

interface DryRunProps {
  readonly id: string;
  readonly body: Backfill;
  readonly isInvalid: boolean;
}

interface Planned {
  readonly of: string;
  readonly total?: number;
  readonly times?: readonly PreviewedTime[];
  readonly failure?: Failure;
}

/** Asks what it would start. The answer is that of the fields when it was asked. */
function DryRun({ id, body, isInvalid }: DryRunProps): JSX.Element {
  const [planned, setPlanned] = useState<Planned>();
  const of = JSON.stringify(body);
  const ask = async (): Promise<void> => {
    try {
      setPlanned({
        of,
        ...(await api()
          .schedule(id)
          .backfill({ ...body, dryRun: true })),
      });
    } catch (error) {
      setPlanned({ of, failure: failureOf(error) });
    }
  };
  const shown = planned?.of === of ? planned : undefined;
  return (
    <div>
      <button type="button" disabled={isInvalid} onClick={() => void ask()}>
        Say what it would start
      </button>
      <div aria-live="polite">
        {shown?.failure !== undefined && <FailureNote failure={shown.failure} />}
        {shown?.times !== undefined && (
          <div class="effects">
            <p>It would start {count(shown.total ?? 0, "run")}.</p>
            <ul>
              {shown.times.map(({ nominal, local, note }) => (
                <li class="num" key={nominal}>
                  {localText(local)} {note !== undefined && <span class="muted">{note}</span>}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </div>
  );
}
