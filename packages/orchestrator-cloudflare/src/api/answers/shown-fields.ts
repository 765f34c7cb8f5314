/**
 * The table of what answers show, by scope (SEC7).
 *
 * Owns: the scope of each part of an answer, and the fields of each part by route. A test sends every route, with every
 * combination of scopes, to real handlers and compares the fields of the answers with this table.
 */
import type { Principal, Scope } from "../../auth/principal.ts";
import type { CallersView } from "../../run-object/commands.ts";

/** The scope that a caller needs, beside the scope of the route, to see a part. */
export const PARTS = {
  run: "read",
  workflows: "read",
  tokenIds: "deliver",
  stacks: "operate",
  failures: "operate",
} as const satisfies Readonly<Record<keyof CallersView, Scope>>;

export type Part = keyof typeof PARTS;

export function viewOf({ scopes }: Principal): CallersView {
  const sees = (part: Part): boolean => scopes.includes(PARTS[part]);
  return {
    run: sees("run"),
    workflows: sees("workflows"),
    tokenIds: sees("tokenIds"),
    stacks: sees("stacks"),
    failures: sees("failures"),
  };
}

/**
 * A field, and the parts to which it belongs. `*` stands for any text. Every caller of the route sees a field without parts.
 * Of several rules for a field, the first one counts.
 */
export type FieldRule = readonly [field: string, ...parts: readonly Part[]];

const TOKEN_ID: FieldRule = ["*tokenId", "tokenIds"];
const DISPATCH_MESSAGE: FieldRule = ["*dispatch.message", "failures"];
const STACK: FieldRule = ["*.stack", "stacks"];
const ALL: FieldRule = ["*"];

/** A run of a caller who may not be allowed to read it. No such answer has stacks. */
function run(at: string): readonly FieldRule[] {
  return [
    [`${at}id`],
    [`${at}status`],
    [`${at}pendingWaitpoints.meta.tokenId`, "run", "tokenIds"],
    [`${at}why.for.tokenId`, "run", "tokenIds"],
    [`${at}dispatch.message`, "run", "failures"],
    [`${at}*`, "run"],
  ];
}

const DELIVERED: readonly FieldRule[] = [["delivery"], ...run("run.")];

/** A limit of a caller who may not be allowed to read runs. */
const LIMIT: readonly FieldRule[] = [["holders*", "run"], ["queue.*", "run"], ["next", "run"], ALL];

/** A schedule of a caller who may not be allowed to read runs. */
const SCHEDULE: readonly FieldRule[] = [
  ["ticks*", "run"],
  ["next.*", "run"],
  ["backfill*", "run"],
  ["lastRunId", "run"],
  ALL,
];

/** By the id of the route. */
export const SHOWN_FIELDS: Readonly<Record<string, readonly FieldRule[]>> = {
  triggerRun: run(""),
  resumeRun: run(""),
  readRun: [TOKEN_ID, DISPATCH_MESSAGE, STACK, ALL],
  readJournal: [TOKEN_ID, STACK, ALL],
  followRun: [TOKEN_ID, DISPATCH_MESSAGE, ALL],
  readAudit: [ALL],
  makeTicket: [ALL],
  listRuns: [ALL],
  countRuns: [ALL],
  listApprovals: [TOKEN_ID, ALL],
  listSchedules: [ALL],
  createSchedule: SCHEDULE,
  previewSchedule: [ALL],
  syncSchedules: [ALL],
  syncLimits: [ALL],
  readSchedule: [ALL],
  updateSchedule: SCHEDULE,
  deleteSchedule: [ALL],
  pauseSchedule: SCHEDULE,
  resumeSchedule: SCHEDULE,
  triggerSchedule: [ALL],
  backfillSchedule: [ALL],
  cancelBackfill: SCHEDULE,
  listWorkflows: [ALL],
  deployment: [ALL],
  listEvents: [ALL],
  readTopic: [ALL],
  sendEvent: [ALL],
  testEvent: [ALL],
  readEvent: [ALL],
  replayEvent: [ALL],
  replayEvents: [ALL],
  deliverEvent: DELIVERED,
  deliverSignal: DELIVERED,
  resolveToken: DELIVERED,
  cancelRun: run("run."),
  terminateRun: run("run."),
  pauseRun: run("run."),
  unpauseRun: run("run."),
  retryRun: run("run."),
  deleteRun: [ALL],
  actOnManyRuns: [ALL],
  rebuildIndex: [ALL],
  listLimits: [ALL],
  rebuildLimits: [ALL],
  readLimit: LIMIT,
  overrideLimit: LIMIT,
  pauseLimit: LIMIT,
  kickFromLimit: LIMIT,
  readLimitKey: LIMIT,
  overrideLimitKey: LIMIT,
  pauseLimitKey: LIMIT,
  kickFromLimitKey: LIMIT,
  readWindow: [ALL],
  fireWindow: [ALL],
  cancelWindow: [ALL],
  readWindowKey: [ALL],
  fireWindowKey: [ALL],
  cancelWindowKey: [ALL],
};
