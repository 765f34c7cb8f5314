/**
 * Reads a turn from a request body.
 *
 * Owns: the shape of a turn. The sender is authenticated. These checks give mistakes a clear message, and prevent an
 * answer that never comes (LIM2).
 */
import type { TurnRequest } from "@holdfast/protocol";
import {
  type Check,
  isAbortReason,
  isCount,
  isExecutionStart,
  isExecutionUpdate,
  isJournalPage,
  isFlag,
  isNumber,
  isRecord,
  isReportAnswer,
  isText,
  listOf,
  matching,
  maybe,
  record,
} from "@holdfast/protocol/transport";

/** The check of each field, and the message if it fails. */
const FIELDS: Readonly<Record<string, readonly [check: Check, problem: string]>> = {
  protocol: [isNumber, "protocol must be a number"],
  session: [matching(/^[\w-]{16,128}$/), "session must be 16 to 128 letters, digits, - or _"],
  turn: [(value) => isCount(value) && value !== 0, "turn must be a whole number of at least 1"],
  instance: [maybe(isText), "instance must be text"],
  waitMs: [
    maybe((value) => typeof value === "number" && Number.isFinite(value) && value >= 0),
    "waitMs must be a number of milliseconds of at least 0",
  ],
  changes: [maybe(isFlag), "changes must be true or false"],
  aside: [maybe(isFlag), "aside must be true or false"],
  start: [
    maybe(isExecutionStart),
    "start must have protocol, epoch, run, workflowId, input, seed, journal, inherited, paused, now and clockStart",
  ],
  answer: [maybe(record({ report: isCount, answer: isReportAnswer })), "answer must have report and answer"],
  page: [maybe(record({ after: isCount, entries: isJournalPage })), "page must have after and entries"],
  updates: [maybe(listOf(isExecutionUpdate)), "updates must be a list of { entries, now }"],
  updatesBefore: [maybe(isCount), "updatesBefore must be a whole number"],
  abort: [maybe(isAbortReason), "abort must have a type"],
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
