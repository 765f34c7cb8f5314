/**
 * Oracle on the reasons that readers of a record see (WHY1 to WHY3).
 *
 * Owns: an independent reading of the stored rows, with which each entry must agree, and the attempt of each action on a
 * copy of the run.
 */
import { ENCODED_ANSWER } from "../answers.ts";
import {
  type HostContext,
  type Input,
  type RunHeader,
  type RunState,
  type View,
  factsOf,
  factsOfHeader,
  loadRun,
  planResume,
  readJournal,
  transition,
  whyOf,
} from "@holdfast/orchestrator";
import {
  DEFAULT_LIMITS,
  ENCODED_UNDEFINED,
  type JournalEntry,
  type WhyCode,
  type WhyEntry,
  isOutcome,
  isTerminal,
  operationId,
} from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";
import { isTrue } from "./why-truth.ts";

const SEES_ALL: View = { tokenIds: true, stacks: false, failures: true };

/** How many rows a reader reads, and whether the state in memory has the whole journal. */
const READERS = [
  { rows: 100, knows: false },
  { rows: 2, knows: false },
  { rows: 2, knows: true },
] as const;

/** What one of the readers of a run sees now, and what of it is false. `nth`: which reader; all take turns. */
export function checkWhy(
  host: MemoryHost,
  nth: number,
): { readonly codes: readonly string[]; readonly problems: readonly string[] } {
  const { store, clock } = host;
  const state = loadRun(store);
  const { header } = state;
  if (header === undefined) return { codes: [], problems: [] };
  const { rows, knows } = READERS[nth % READERS.length] ?? READERS[0];
  const now = clock.now();
  const activity = host.host.activity();
  const why = whyOf(factsOf(knows ? read(state) : state, now, activity, rows), SEES_ALL);
  const journal = readJournal(state);
  const seen = { header, journal, activity, now };
  const problems = [
    ...why.flatMap((entry) => (isTrue(entry, seen) ? [] : [`${entry.code} is not true`])),
    ...checkTimes(why, header, journal, now),
    ...checkWhole(why, header),
    ...checkActions(why, header, now, () => loadRun(store), journal),
  ].map((text) => `${text}: ${JSON.stringify(why)} (${header.status}, ${rows} rows)`);
  const [listed] = whyOf(factsOfHeader(header), SEES_ALL, 1);
  if (listed === undefined || !isTrue(listed, { ...seen, activity: undefined }))
    problems.push(`a list says ${JSON.stringify(listed)} (${header.status})`);
  return { codes: why.map(({ code }) => code), problems };
}

/** Reads the whole journal into the state, as the start of an execution does. */
function read(state: RunState): RunState {
  readJournal(state);
  return state;
}

/** The times of the timers that exist. */
function timersOf(header: RunHeader, journal: readonly JournalEntry[]): ReadonlySet<number | undefined> {
  const { startAt, watchdogAt, cleanupBy, dispatch, retryAt, outbox, waits } = header;
  const pending = pendingRetries(journal).map((entry) => entry.retryAt);
  // After the clock was set back, the header has the time of one of them on the new clock.
  const retries = pending.flatMap((at) => [at, ...pending.map((first) => at + (retryAt ?? first) - first)]);
  const others = [startAt, watchdogAt, cleanupBy, dispatch?.retryAt, retryAt, outbox.retryAt];
  return new Set([...others, ...waits.map(({ wakeAt }) => wakeAt), ...retries]);
}

function pendingRetries(journal: readonly JournalEntry[]): (JournalEntry & { readonly type: "step.retrying" })[] {
  const ended = new Set(journal.filter(isOutcome).map(({ op }) => op));
  const newest = new Map(journal.flatMap((entry) => (entry.type === "step.retrying" ? [[entry.op, entry]] : [])));
  return [...newest.values()].filter(({ op }) => !ended.has(op));
}

function checkTimes(
  why: readonly WhyEntry[],
  header: RunHeader,
  journal: readonly JournalEntry[],
  now: number,
): string[] {
  const timers = timersOf(header, journal);
  return why.flatMap(({ code, since, until }) => [
    ...(since > now ? [`${code} is since ${since}, and it is ${now}`] : []),
    ...(until !== undefined && !timers.has(until) ? [`${code} is until ${until}, for which there is no timer`] : []),
  ]);
}

/** Each open wait has an entry, and there is always one. */
function checkWhole(why: readonly WhyEntry[], { status, waits }: RunHeader): string[] {
  if (why.length === 0) return ["there is no reason"];
  if (isTerminal(status) || status === "paused" || why.some(({ code }) => code === "MORE")) return [];
  const named = new Set(why.map((entry) => entry.for && operationId("sleep", entry.for.occurrence, entry.for.name)));
  const left = waits.filter(({ op }) => !named.has(op.replace(/^[a-z]+/, "sleep")));
  return left.map(({ op }) => `${op} is open and has no reason`);
}

/** The actions that help, by code: written down again, because a test of a table by itself finds nothing. */
const HELPS: Readonly<Partial<Record<WhyCode, readonly string[]>>> = {
  PAUSED_BY_OPERATOR: ["unpauseRun"],
  PAUSED_BY_ENGINE: ["retryRun", "cancelRun", "terminateRun"],
  DISPATCH_FAILING: ["terminateRun"],
  HANDLER_SILENT: ["terminateRun"],
  WAITING_FOR_NOTHING: ["cancelRun", "terminateRun"],
  COMPENSATION_RETRYING: ["terminateRun"],
  CLEANING_UP: ["terminateRun"],
  UNWINDING: ["terminateRun"],
  WAITING_FOR_TOKEN: ["resolveToken"],
  WAITING_FOR_SIGNAL: ["deliverSignal"],
  WAITING_FOR_EVENT: ["deliverEvent"],
  FAILED: ["resumeRun"],
  CANCELLED: ["resumeRun"],
  COMPENSATED: ["resumeRun"],
  COMPENSATION_FAILED: ["resumeRun"],
};

/** Every listed action is accepted, and every accepted one that helps is listed. */
function checkActions(
  why: readonly WhyEntry[],
  header: RunHeader,
  now: number,
  copy: () => RunState,
  journal: readonly JournalEntry[],
): string[] {
  return why.flatMap((entry) => {
    const listed = entry.actions.map(({ action }) => action as string);
    const wanted = (HELPS[entry.code] ?? []).filter((action) => {
      if (action === "resumeRun") return !("type" in planResume(header, journal, { seedResults: [] }));
      return isAccepted(copy(), inputOf(action, entry, header), now);
    });
    const isDue = wanted.length > listed.length && isTimerDue(header, now);
    return isDue || listed.join() === wanted.join()
      ? []
      : [`${entry.code} lists ${listed.join()} instead of ${wanted.join()}`];
  });
}

/** While a timer is due, entries may list no action. */
function isTimerDue({ startAt, deadlineAt, cleanupBy, dispatch, retryAt, waits }: RunHeader, now: number): boolean {
  const times = [startAt, deadlineAt, cleanupBy, dispatch?.retryAt, retryAt, ...waits.map(({ wakeAt }) => wakeAt)];
  return times.some((at) => at !== undefined && at <= now);
}

/** Whether the run accepts the input, and a delivery resolves a wait. */
function isAccepted(state: RunState, input: Input, now: number): boolean {
  const context: HostContext = { now, limits: DEFAULT_LIMITS, live: false, canSend: true };
  const { reply } = transition(state, input, context);
  return reply.type === "delivered" ? reply.delivery === "resolved" : reply.type !== "refused";
}

function inputOf(action: string, { for: target }: WhyEntry, { waits }: RunHeader): Input {
  const name = target?.name ?? "";
  const kind = action === "deliverEvent" ? "event" : "signal";
  const wait = waits.find(({ op }) => op === operationId(kind, target?.occurrence ?? 0, name));
  switch (action) {
    case "unpauseRun":
      return { type: "unpause" };
    case "retryRun":
      return { type: "retry" };
    case "cancelRun":
      return { type: "cancel" };
    case "terminateRun":
      return { type: "terminate", reason: "by an oracle" };
    case "resolveToken":
      return { type: "resolveToken", tokenId: target?.tokenId ?? "", payload: ENCODED_ANSWER };
    default:
      // A pattern matches itself.
      return { type: "deliver", kind, name, payload: wait?.match ?? ENCODED_UNDEFINED };
  }
}
