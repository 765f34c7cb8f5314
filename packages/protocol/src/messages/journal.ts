/**
 * The schemas of journal entries, as an execution receives them (SEC10).
 *
 * Owns: the fields of each type of entry. The types are in `journal.ts`. Entries of unknown types are accepted here: the
 * execution refuses them by their name (VER2).
 */
import type { EntryBody } from "../journal.ts";
import { LIMITS } from "../limits.ts";
import {
  anyOperation,
  count,
  date,
  duration,
  error,
  finite,
  flag,
  id,
  mark,
  name,
  oneOf,
  position,
  progress,
  text,
  time,
  value,
  word,
} from "./parts.ts";
import { type Schema, below, isRecord, listOf, optional, record, variant } from "./schema.ts";

/** One change of the run's metadata. */
export const change: Schema = variant({
  set: record({ key: name, value }),
  append: record({ key: name, value }),
  increment: record({ key: name, by: finite }),
  remove: record({ key: name }),
});

const base = {
  v: optional(count),
  seq: position,
  at: time,
  asked: count,
  nth: count,
  quiet: mark,
  op: text(2 * LIMITS.nameBytes),
  after: optional(count),
  use: optional(count),
};

const attempt = { attempt: count, startedAt: time, progress };

const outcome: Schema = (given, decode) => {
  const isEnd = isRecord(given) && "output" in given;
  return (isEnd ? CHILD_COMPLETED : CHILD_FAILED)(given, decode);
};
const CHILD_COMPLETED = record({ status: word, runId: id, output: value });
const CHILD_FAILED = record({ status: word, runId: id, error });

const BODIES: Readonly<Record<EntryBody["type"], Readonly<Record<string, Schema>>>> = {
  "step.started": { startedAt: time },
  "step.retrying": { ...attempt, retryAt: time, max: optional(count), error },
  "step.completed": { ...attempt, value, compensable: mark, seeded: mark, shielded: mark },
  "step.failed": { ...attempt, error },
  "wait.opened": { wakeAt: optional(date), tokenId: optional(id), ask: optional(record({})) },
  "wait.resolved": { value, deliveryId: optional(id), answeredBy: optional(text(LIMITS.valueChars)) },
  "wait.timed_out": {},
  "wait.released": { by: optional(text(2 * LIMITS.nameBytes)), value: optional(value) },
  "child.started": { runId: id, detached: mark },
  "child.ended": { outcome },
  "metadata.changed": { change },
  "stream.started": { generation: count },
  "run.unwinding": { cause: oneOf("failure", "request", "cancel", "timeout"), error },
};

export const entry: Schema = variant(
  Object.fromEntries(Object.entries(BODIES).map(([type, body]) => [type, record({ ...base, ...body })])),
  record(base),
);

/** Entries in their order, without gaps (J1). */
export const entries: Schema = consecutive(listOf(entry));

function consecutive(list: Schema): Schema {
  return (given, decode) => {
    const problem = list(given, decode);
    if (problem !== undefined) return problem;
    // A cast: the schema of the list has accepted it.
    const numbers = (given as readonly { readonly seq: number }[]).map(({ seq }) => seq);
    const place = numbers.findIndex((seq, index) => index > 0 && seq !== Number(numbers[index - 1]) + 1);
    return place === -1
      ? undefined
      : below(`[${place}]`, { path: "seq", must: "must be one higher than that of the entry before" });
  };
}

/** The same, from a number. */
export function entriesFrom(first: number): Schema {
  return (given, decode) => {
    const problem = entries(given, decode);
    if (problem !== undefined) return problem;
    // A cast: the schema of the list has accepted it.
    const [start] = given as readonly { readonly seq: number }[];
    return start === undefined || start.seq === first ? undefined : { path: "[0].seq", must: `must be ${first}` };
  };
}

export const admitted: Schema = optional(listOf(record({ op: anyOperation, attempt: count }), LIMITS.openOperations));

/** `{ entries, now, paused?, admitted? }`. */
export const update: Schema = record({ entries, now: time, paused: optional(flag), admitted });

export const abort: Schema = variant({
  superseded: record({}),
  cancelled: record({ reason: optional(text(LIMITS.valueChars)) }),
  timed_out: record({ timeoutMs: duration }),
});
