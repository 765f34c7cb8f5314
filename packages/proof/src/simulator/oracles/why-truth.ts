/**
 * Whether one reason of a run is true, by an independent reading of the stored rows.
 *
 * Owns: a condition for each code.
 */
import type { Activity, RunHeader } from "@holdfast/orchestrator";
import {
  type JournalEntry,
  type WhyCode,
  type WhyEntry,
  TERMINAL_STATUSES,
  isOutcome,
  isTerminal,
  operationId,
} from "@holdfast/protocol";

/** A run as it is stored, and what its host has in memory. Without `activity`: the reader knows only the header. */
export interface SeenRun {
  readonly header: RunHeader;
  readonly journal: readonly JournalEntry[];
  readonly activity: Activity | undefined;
  readonly now: number;
}

type Condition = (seen: SeenRun, entry: WhyEntry) => boolean;

/** Whether a wait of this kind is open. */
const waits =
  (kind: string): Condition =>
  ({ header }, { for: target }) =>
    header.status !== "paused" && header.waits.some(({ op }) => op === `${kind}/${target?.occurrence}/${target?.name}`);

const ends =
  (status: string): Condition =>
  ({ header }) =>
    header.status === status;

const executes =
  (kind: "step" | "compensation" | "stream"): Condition =>
  ({ activity }, { for: target }) =>
    activity?.inProgress.some(({ op }) => op === operationId(kind, target?.occurrence ?? 0, target?.name ?? "")) ===
    true;

const retries =
  (kind: "step" | "compensation"): Condition =>
  ({ header, journal }, { for: target, error }) => {
    if (header.retryAt === undefined || header.status === "paused") return false;
    // Only a part of the journal was read.
    if (target === undefined) return error === undefined;
    const op = operationId(kind, target.occurrence, target.name);
    const about = journal.filter((entry) => entry.op === op);
    return about.at(-1)?.type === "step.retrying" && !about.some(isOutcome);
  };

const isRunning = ({ header }: SeenRun): boolean => header.status === "running";

const CONDITIONS: Readonly<Record<WhyCode, Condition>> = {
  NEWER_FORMAT: () => false,
  PAUSED_BY_OPERATOR: ({ header }) => header.status === "paused" && header.paused?.by === "operator",
  PAUSED_BY_ENGINE: ({ header }, { error }) =>
    header.status === "paused" && header.paused?.by === "engine" && header.error?.code === error?.code,
  HELD: () => false,
  EXECUTIONS_MAX: () => false,
  WAITING_FOR_LIMIT: ({ header }, { limit }) =>
    header.admission !== undefined &&
    header.holds?.some((hold) => hold.state !== "held" && hold.limit === limit?.name && hold.key === limit.key) ===
      true,
  RATE_LIMITED: ({ header }) =>
    header.admission !== undefined && header.holds?.every(({ state }) => state === "held") === true,
  DISPATCH_FAILING: (seen, { error }) => isRunning(seen) && seen.header.dispatch?.code === error?.code,
  HANDLER_SILENT: (seen) => isRunning(seen) && (seen.activity?.silence?.pings ?? 0) > 0,
  EXECUTION_LOST: (seen) => isRunning(seen) && seen.activity?.live === false,
  // Every program awaits operations only.
  WAITING_FOR_NOTHING: () => false,
  COMPENSATION_RETRYING: retries("compensation"),
  STEP_RETRYING: retries("step"),
  WAITING_FOR_TOKEN: waits("token"),
  WAITING_FOR_SIGNAL: waits("signal"),
  WAITING_FOR_EVENT: waits("event"),
  WAITING_FOR_TOPIC: waits("event"),
  CHILD_STARTING: (seen, entry) => waits("run")(seen, entry) && seen.header.outbox.count > 0,
  WAITING_FOR_CHILD: waits("run"),
  COMPENSATION_EXECUTING: executes("compensation"),
  STEP_EXECUTING: executes("step"),
  STREAM_EXECUTING: executes("stream"),
  CLEANING_UP: ({ header }) => ["cancel", "timeout"].includes(header.unwinding?.cause ?? ""),
  UNWINDING: ({ header }) => ["failure", "request"].includes(header.unwinding?.cause ?? ""),
  DELAYED: ends("pending"),
  SLEEPING: waits("sleep"),
  EXECUTING: (seen) => isRunning(seen) && seen.activity?.live !== false && seen.header.unwinding === undefined,
  COMPENSATION_FAILED: ends("compensation_failed"),
  FAILED: ends("failed"),
  CANCELLED: ends("cancelled"),
  COMPENSATED: ends("compensated"),
  COMPLETED: ends("completed"),
  CHILD_NOT_READ: () => false,
  MORE: (_seen, { more = 0 }) => more > 0,
};

export function isTrue(entry: WhyEntry, seen: SeenRun): boolean {
  const saysOver = TERMINAL_STATUSES.some((status) => status === entry.code.toLowerCase());
  return isTerminal(seen.header.status) === saysOver && CONDITIONS[entry.code](seen, entry);
}
