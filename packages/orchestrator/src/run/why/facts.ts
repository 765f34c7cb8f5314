/**
 * What the reasons of a run are computed from (WHY1).
 *
 * Owns: collecting it from the header, from memory, and from a few rows. Nothing is stored for it.
 *
 * Invariants
 * - WY1 Each fact is true, or absent: a retry counts only if all entries after it are known.
 */
import { type ErrorValue, type OperationId, type StepInProgress, assert } from "@holdfast/protocol";
import type { Silence } from "../draft/liveness.ts";
import { shownHeader } from "../newer-run.ts";
import { JOURNAL_PREFIX, OUTBOX_PREFIX, listRows } from "../state/rows.ts";
import type { RunHeader } from "../state/run-header.ts";
import type { RunState } from "../state/run-state.ts";

/** What a host knows of the execution. */
export interface Activity {
  /** Whether an execution is live. */
  readonly live: boolean;
  /** Its silence, if it runs in another process (DUR11). */
  readonly silence?: Silence | undefined;
  readonly inProgress: readonly StepInProgress[];
  /** An operator holds the deployment (DUR12). */
  readonly held: boolean;
}

/** A step, or a compensation, that waits for its next attempt. */
export interface PendingRetry {
  readonly op: OperationId;
  /** The attempt that failed. */
  readonly attempt: number;
  readonly retryAt: number;
  /** When it failed, and with which error. Absent: the entry was not read. */
  readonly at?: number | undefined;
  readonly error?: ErrorValue | undefined;
  readonly max?: number | undefined;
}

export interface WhyFacts {
  readonly header: RunHeader;
  readonly now: number;
  /** The newest stored time. */
  readonly lastAt: number;
  /** A description of data of newer code (VER4). */
  readonly newer?: string | undefined;
  /** `undefined`: unknown, as for a row of the index. */
  readonly activity?: Activity | undefined;
  readonly retries: readonly PendingRetry[];
  /** Whether these are all pending retries. */
  readonly allRetries: boolean;
  /** The children whose start is in the outbox. That of an acknowledged one may be, too: then its wait names it (DUR14). */
  readonly startingChildren: ReadonlySet<OperationId>;
}

/** How many of the last entries are read if a retry is pending, and how many messages if some are pending. */
const ROWS_MAX = 100;

/** The facts of a run that exists. `rowsMax` 0: no entry is read, and as many messages as by default. */
export function factsOf(state: RunState, now: number, activity: Activity, rowsMax: number = ROWS_MAX): WhyFacts {
  const { store, lastAt, newer } = state;
  const header = shownHeader(state);
  assert(header !== undefined, "the run exists");
  const facts = { ...factsOfHeader(header), now, lastAt, newer, activity };
  if (newer !== undefined) return facts;
  const { retryAt, outbox } = header;
  const messages =
    outbox.count === 0 ? [] : [...listRows(store, OUTBOX_PREFIX, { reverse: true, limit: rowsMax || ROWS_MAX })];
  return {
    ...facts,
    ...(retryAt === undefined ? {} : retriesOf(state, rowsMax)),
    startingChildren: new Set(messages.flatMap(([, { message }]) => (message.type === "trigger" ? [message.op] : []))),
  };
}

/** The pending retries: all of a journal that was read since the object was loaded, otherwise those of its last entries. */
function retriesOf(
  { store, journalRead, operations }: RunState,
  rowsMax: number,
): Pick<WhyFacts, "retries" | "allRetries"> {
  const found = new Map<OperationId, PendingRetry>();
  if (journalRead)
    for (const [op, { attempts: attempt, retryAt, ended }] of operations)
      if (retryAt !== undefined && !ended) found.set(op, { op, attempt, retryAt });
  const last = new Set<OperationId>();
  // The newest entry about an operation says whether its next attempt is pending.
  let rows = 0;
  const newest = rowsMax === 0 ? [] : listRows(store, JOURNAL_PREFIX, { reverse: true, limit: rowsMax });
  for (const [, entry] of newest) {
    rows++;
    if (!last.has(entry.op) && entry.type === "step.retrying") found.set(entry.op, entry);
    last.add(entry.op);
  }
  return { retries: [...found.values()], allRetries: journalRead || rows < rowsMax };
}

/** The facts of a header alone, at the time of its last change. */
export function factsOfHeader(header: RunHeader): WhyFacts {
  const { updatedAt } = header;
  return { header, now: updatedAt, lastAt: updatedAt, retries: [], allRetries: false, startingChildren: new Set() };
}
