/**
 * Reads a turn from a request body.
 *
 * Owns: the shape of a turn. The sender is authenticated. These checks give mistakes a clear message, and prevent an
 * answer that never comes (LIM2).
 */
import type { TurnRequest } from "@holdfast/protocol";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
const number: Check = (value) => Number.isFinite(value);
const count: Check = (value) => typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
const matching =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === "string" && pattern.test(value);
const listOf =
  (one: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(one);
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) && Object.entries(fields).every(([name, check]) => check(value[name]));
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

const entry = record({ seq: count, at: number, asked: count, nth: count, op: text, type: text });
const update = record({ entries: listOf(entry), now: number, paused: maybe(flag) });

/** The check of each field, and the message if it fails. */
const FIELDS: Readonly<Record<string, readonly [check: Check, problem: string]>> = {
  protocol: [number, "protocol must be a number"],
  session: [matching(/^[\w-]{16,128}$/), "session must be 16 to 128 letters, digits, - or _"],
  turn: [(value) => count(value) && value !== 0, "turn must be a whole number of at least 1"],
  waitMs: [
    maybe((value) => typeof value === "number" && Number.isFinite(value) && value >= 0),
    "waitMs must be a number of milliseconds of at least 0",
  ],
  aside: [maybe(flag), "aside must be true or false"],
  start: [
    maybe(
      record({
        protocol: number,
        epoch: count,
        run: record({
          id: text,
          tags: listOf(text),
          number: count,
          startedAt: number,
          triggeredBy: text,
          environment: text,
        }),
        workflowId: text,
        workflowVersion: maybe(text),
        input: text,
        seed: matching(/^[0-9a-f]{32}$/),
        flags: maybe(listOf(count)),
        journal: listOf(entry),
        inherited: listOf(text),
        paused: flag,
        now: number,
        clockStart: number,
      }),
    ),
    "start must have protocol, epoch, run, workflowId, input, seed, journal, inherited, paused, now and clockStart",
  ],
  answer: [
    maybe(
      record({ report: count, answer: record({ accepted: flag, entries: maybe(listOf(entry)), now: maybe(number) }) }),
    ),
    "answer must have report and answer",
  ],
  updates: [maybe(listOf(update)), "updates must be a list of { entries, now }"],
  updatesBefore: [maybe(count), "updatesBefore must be a whole number"],
  abort: [maybe(record({ type: text })), "abort must have a type"],
};

/** Returns the parsed request, or the reason why it is invalid. */
export function parseTurn(body: string): TurnRequest | string {
  let turn: unknown;
  try {
    turn = JSON.parse(body);
  } catch {
    return "the body is not JSON";
  }
  if (!isRecord(turn)) return "the body is not an object";
  for (const [name, [check, problem]] of Object.entries(FIELDS)) if (!check(turn[name])) return problem;
  // A cast: FIELDS has checked the shape, but the type checker cannot know this.
  return turn as unknown as TurnRequest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
