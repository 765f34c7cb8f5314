/**
 * The schemas of the messages to an execution, on each pipe (SEC10).
 *
 * Owns: `start`, the answer to a report, and what turns and lines add to them. Values are not decoded here: the execution
 * decodes them when it hands them over.
 */
import { LIMITS } from "../limits.ts";
import { PAGED_PROTOCOL_VERSION, PROTOCOL_VERSION } from "../version.ts";
import { abort, admitted, entries, entriesFrom, update } from "./journal.ts";
import {
  anyOperation,
  count,
  finite,
  flag,
  id,
  mark,
  name,
  names,
  oneOf,
  position,
  text,
  time,
  value,
  word,
} from "./parts.ts";
import { type Problem, type Schema, isRecord, listOf, optional, record, that, variant } from "./schema.ts";

const URL_CHARS_MAX = 2_048;

const hex32 = that(
  "must be 32 hexadecimal digits",
  (given) => typeof given === "string" && /^[0-9a-f]{32}$/.test(given),
);

const schedule: Schema = record({
  id: name,
  kind: word,
  nominal: time,
  fireAt: time,
  previous: optional(time),
  next: listOf(time),
});

const run: Schema = record({
  id,
  number: position,
  tags: names,
  triggeredBy: word,
  startedAt: time,
  environment: word,
  tenantMeta: optional(value),
  baseUrl: optional(text(URL_CHARS_MAX)),
  tenantId: optional(name),
  traceparent: optional(word),
  schedule: optional(schedule),
  runKey: optional(hex32),
  ownTokens: optional(text(2 * URL_CHARS_MAX)),
  publicTokens: optional(text(2 * URL_CHARS_MAX)),
});

const lineage: Schema = record({
  silent: listOf(word),
  outcomes: listOf(
    record({
      op: anyOperation,
      line: optional(word),
      after: word,
      silent: count,
      shared: mark,
      received: optional(count),
      seeded: mark,
    }),
  ),
  order: optional(record({ after: count, ops: listOf(anyOperation) })),
});

const token: Schema = (given, decode) =>
  listOf(text(2 * LIMITS.nameBytes))(given, decode) ??
  (Array.isArray(given) && given.length === 2 ? undefined : { path: "", must: "must be [op, tokenId]" });

const known: Schema = record({
  protocol: finite,
  epoch: count,
  run,
  workflowId: name,
  workflowVersion: optional(name),
  input: value,
  seed: hex32,
  flags: optional(listOf(count)),
  journal: entriesFrom(1),
  more: optional(record({ lastSeq: position, tokens: listOf(token) })),
  lineage: optional(lineage),
  inherited: listOf(anyOperation),
  announcesBodies: mark,
  admitted,
  paused: flag,
  now: time,
  clockStart: time,
});

/** A start of another version of the protocol may have another form: the execution refuses it by its version (VER2). */
export const start: Schema = Object.assign((given: unknown, decode: boolean): Problem | undefined => {
  const protocol = isRecord(given) ? given["protocol"] : undefined;
  const isKnown = protocol === PROTOCOL_VERSION || protocol === PAGED_PROTOCOL_VERSION;
  return (Number.isFinite(protocol) && !isKnown ? ANY_VERSION : known)(given, decode);
}, known);

const ANY_VERSION: Schema = record({ workflowId: name });

const ACCEPTED = record({ accepted: flag, parked: mark, ...update.fields });
const REJECTED = record({ accepted: flag, reason: oneOf("superseded", "ended") });

export const answer: Schema = (given, decode) =>
  (isRecord(given) && given["accepted"] === true ? ACCEPTED : REJECTED)(given, decode);

/** A page of the journal that begins after an entry. */
export function pageAfter(after: number): Schema {
  return entriesFrom(after + 1);
}

const turnPage: Schema = (given, decode) =>
  record({ after: count, entries })(given, decode) ??
  // A cast: the schema of the record has accepted it.
  record({ entries: pageAfter((given as { readonly after: number }).after) })(given, decode);

export const turnRequest: Schema = record({
  protocol: finite,
  session: that(
    "must be 16 to 128 letters, digits, - or _",
    (given) => typeof given === "string" && /^[\w-]{16,128}$/.test(given),
  ),
  turn: position,
  instance: optional(word),
  waitMs: optional(
    that("must be a number of milliseconds of at least 0", (given) => Number.isFinite(given) && Number(given) >= 0),
  ),
  changes: optional(flag),
  aside: optional(flag),
  start: optional(start),
  answer: optional(record({ report: count, answer })),
  page: optional(turnPage),
  updates: optional(listOf(update)),
  updatesBefore: optional(count),
  abort: optional(abort),
});

const aboutNews = {
  update: record({ update }),
  abort: record({ reason: abort }),
  release: record({}),
};

export const news: Schema = variant(aboutNews);

export const lineToExecution: Schema = variant({
  start: record({ start }),
  answer: record({ answer }),
  page: record({ entries }),
  ...aboutNews,
});
