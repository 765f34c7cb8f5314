/**
 * The header of a run: the row `record`.
 *
 * Owns: its shape, and when a run must next be woken.
 *
 * Invariants
 * - H1 The header is rewritten only when something in it changes; completing a step writes its journal row alone (REP6).
 * - H2 `nextAlarm(header)` is the alarm of the object, always: a running run has a watchdog, so no state that needs
 *   driving is without a timer (DUR5).
 */
import {
  type DispatchFailure,
  type ErrorValue,
  type Metadata,
  type OperationId,
  type OperationKind,
  type RunStatus,
  type UnwindCause,
  type WaitpointKind,
  isTerminal,
  parseOperationId,
} from "@holdfast/protocol";
import type { OutboxState } from "../host/outbox.ts";
import type { RunIdentity } from "./run-identity.ts";

/** A wait that was opened and not yet settled. Older ones come first (WAIT10). */
export interface OpenWait {
  readonly op: OperationId;
  readonly nth: number;
  /** As the API shows it. Decisions are made by `kindOf`. */
  readonly kind: WaitpointKind;
  readonly name: string;
  readonly openedAt: number;
  /** When it ends (DATETIME) or times out. */
  readonly wakeAt?: number;
  readonly tokenId?: string;
  /** Only payloads that match this encoded pattern are for it (WAIT6). */
  readonly match?: string;
  /** The child that it waits for. */
  readonly runId?: string;
}

/** What kind of operation waits. */
export function kindOf(wait: OpenWait): OperationKind {
  return parseOperationId(wait.op).kind;
}

/** How a run ended in error, or why it is paused. */
export interface RunError extends ErrorValue {
  /** Whether the workflow's own code is at fault, or the engine and what it runs on. */
  readonly category: "USER_ERROR" | "RUNTIME_ERROR";
  readonly step?: OperationId;
}

/** A step whose compensation failed for good (COMP3). */
export interface Undone {
  readonly op: OperationId;
  readonly error: ErrorValue;
}

/** The parent that a child run answers to (CHILD2). */
export interface ParentRef {
  readonly runId: string;
  readonly op: OperationId;
  /** Nobody waits for it (CHILD3). */
  readonly detached: boolean;
}

/** A stream as far as it is settled: chunks of an open one are counted in memory and from its rows (STR1). */
export interface StreamState {
  readonly op: OperationId;
  readonly generation: number;
  /** Once it ended. */
  readonly chunks?: number;
}

export interface RunHeader extends RunIdentity {
  readonly v: number;
  readonly status: RunStatus;
  /** Encoded. Absent if it is large: then it is the row `input`. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly error?: RunError | undefined;
  readonly seed: string;
  /** What decides an order on replay: written when the run is created, never later. Absent: profile 0 (REP8). */
  readonly flags?: readonly number[] | undefined;
  readonly number: number;
  readonly resumedFrom?: { readonly runId: string; readonly step?: string } | undefined;
  readonly resumedBy: readonly string[];
  readonly cancelReason?: string | undefined;
  readonly parent?: ParentRef | undefined;
  /** Set while, and after, the run is undone (COMP1). */
  readonly unwinding?: { readonly cause: UnwindCause; readonly error: RunError } | undefined;
  readonly uncompensated?: readonly Undone[] | undefined;
  readonly metadata: Metadata;
  readonly streams: readonly StreamState[];

  readonly createdAt: number;
  /** A pending run starts at this time. */
  readonly startAt?: number | undefined;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly updatedAt: number;
  readonly deadlineAt?: number | undefined;
  /** What `ctx.now()` gives before the first outcome; a resumed run takes it from its parent (RES4). */
  readonly clockStart?: number | undefined;

  /** The number of the newest execution. An execution that reports under another is superseded (DUR6). */
  readonly epoch: number;
  /** When the running execution is looked after next. Set while, and only while, the run is running. */
  readonly watchdogAt?: number | undefined;
  /** What the run was when it was paused, since when it is, and who paused it (CAN4, CAN6). */
  readonly paused?:
    | {
        readonly from: "pending" | "running" | "waiting";
        readonly at: number;
        readonly by: "operator" | "engine";
      }
    | undefined;
  /** Executions that died in a row while the journal stood at `seq` (DUR7). */
  readonly crashes?: { readonly seq: number; readonly count: number } | undefined;
  /** Dispatch has failed since `since`; it is tried again at `retryAt` (DUR8). */
  readonly dispatch?: DispatchFailure | undefined;
  /** Operations that were requested, as of the last header write. */
  readonly asked: number;
  readonly waits: readonly OpenWait[];
  /** When the next attempt of a step is due; the journal has all of them. */
  readonly retryAt?: number | undefined;
  /** When attempts last fell due: an execution that does not know of that time cannot park. */
  readonly retriedAt?: number | undefined;
  readonly inbox: { readonly count: number; readonly chars: number; readonly next: number };
  readonly deliveryIds: number;
  /** What callers did to the run, so far: the newest draft.context.limits.auditRows are kept. */
  readonly audited?: number | undefined;
  /** What the index of runs was told, and what it is owed. Absent where there is no index. */
  readonly index?:
    | {
        readonly version: number;
        /** The status that the index is known to have. */
        readonly acked?: RunStatus | undefined;
        readonly owed?: { readonly since: number; readonly failures: number; readonly retryAt: number } | undefined;
      }
    | undefined;
  /** An ended run is deleted then. */
  readonly expiresAt?: number | undefined;
  readonly outbox: OutboxState;
}

/** When the run must next be woken: the earliest of all that is due (H2). Paused and ended runs only send messages. */
export function nextAlarm(header: RunHeader): number | null {
  let next = Infinity;
  const consider = (at: number | undefined): void => {
    if (at !== undefined && at < next) next = at;
  };
  consider(header.outbox.retryAt);
  consider(header.index?.owed?.retryAt);
  if (isTerminal(header.status) || header.status === "paused") {
    // An ended run is deleted only after all it had to send was acknowledged.
    if (next === Infinity && isTerminal(header.status)) consider(header.expiresAt);
    return next === Infinity ? null : next;
  }
  consider(header.startAt);
  consider(header.deadlineAt);
  consider(header.watchdogAt);
  consider(header.dispatch?.retryAt);
  for (const wait of header.waits) consider(wait.wakeAt);
  consider(header.retryAt);
  return next === Infinity ? null : next;
}
