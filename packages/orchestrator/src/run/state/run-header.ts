/**
 * The header of a run: the row `record`.
 *
 * Owns: its shape, and the time of the run's next alarm.
 *
 * Invariants
 * - H1 The header is rewritten only if one of its fields changes. A completed step writes only its journal row (REP6).
 * - H2 `nextAlarm(header)` is always the alarm of the object. A running run has a watchdog, so each state that must
 *   continue has a timer (DUR5).
 */
import {
  type Ask,
  type DispatchFailure,
  type EncodedValue,
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
import type { OutboxState } from "../../host/outbox.ts";
import { type Admission, type HeldAbove, type Hold, type StepHold, admissionAlarm, stepHoldsAlarm } from "./hold.ts";
import type { RunIdentity } from "./run-identity.ts";

/** A wait that was opened and not yet settled. Older waits get deliveries first (WAIT10). */
export interface OpenWait {
  readonly op: OperationId;
  readonly nth: number;
  /** The kind in the API. The code decides by `kindOf`. */
  readonly kind: WaitpointKind;
  readonly name: string;
  readonly openedAt: number;
  /** When it ends (DATETIME) or times out. */
  readonly wakeAt?: number;
  /** The duration after which it ends or times out, ms. Absent: it ends at a date, or earlier code opened it. */
  readonly afterMs?: number;
  readonly tokenId?: string;
  /** What a person is asked (ASK1). It never changes. */
  readonly ask?: Ask;
  /** Who answered the ask, while the run is paused: the answer is buffered (CAN6). `""`: unknown. */
  readonly answered?: string;
  /** The encoded pattern of the payloads that the wait accepts (WAIT6). */
  readonly match?: string;
  /** The child for which it waits. */
  readonly runId?: string;
  /** The events for which it waits (EVT5). `since`: accepted at or after this time, ms since 1970. */
  readonly topic?: {
    readonly name: string;
    readonly since: number;
    readonly last?: number;
    readonly allowGap?: true;
  };
  /** The position of the child's start in the outbox, after the child has acknowledged it. The row stays (DUR14). */
  readonly start?: number;
}

/** Operations of which the first outcome closes the waits among the others (WAIT11). */
export interface Race {
  readonly ops: readonly OperationId[];
  readonly cancelLosers?: true;
}

/** Why a wait was let go: the winner of its race, or the reason of its signal. */
export type Release = { readonly by: OperationId } | { readonly value: EncodedValue };

/** The kind of the operation that waits. */
export function kindOf(wait: OpenWait): OperationKind {
  return parseOperationId(wait.op).kind;
}

/** The error of a run that failed, or for which the engine paused it. */
export interface RunError extends ErrorValue {
  /** Who is at fault: the workflow's own code, or the engine and its platform. */
  readonly category: "USER_ERROR" | "RUNTIME_ERROR";
  readonly step?: OperationId;
}

/** A step whose compensation failed finally (COMP3). */
export interface Uncompensated {
  readonly op: OperationId;
  readonly error: ErrorValue;
}

/** The parent that a child run notifies of its end (CHILD2). */
export interface ParentRef {
  readonly runId: string;
  readonly op: OperationId;
  /** Whether the parent does not wait for the child (CHILD3). */
  readonly detached: boolean;
  /** The position of this run's start in the outbox of the parent. The end of this run settles it (CHILD1). */
  readonly start?: number;
  /** When the parent was created, ms since 1970. A later run with its id has another time. */
  readonly createdAt?: number;
}

/** The parents that a run notifies of its end: its creator, and those that joined it. */
export function parentsOf({ parent, followers = [] }: RunHeader): readonly ParentRef[] {
  return parent === undefined ? followers : [parent, ...followers];
}

/** A run whose workflow was not described when it was triggered (L9). */
export interface Undescribed {
  /** When the run asks again if no answer has come, ms since 1970. Absent: no question is open. */
  readonly askAt?: number | undefined;
  /** A caller triggered the run: a workflow with debounce or batch would have collected it (WIN1). */
  readonly collects?: true | undefined;
}

/** What a run knows of a topic for whose events it has waited (EVT6). */
export interface RunTopic {
  /** `topicName` of the event's name and key. */
  readonly name: string;
  /** The number of its newest subscription. */
  readonly seq: number;
  /** Whether the run is subscribed, or its message about it is in the outbox. */
  readonly open?: true;
  /** The number of the newest event that the run has seen. */
  readonly cursor?: number;
  /** The topic has no room for the subscription. It is sent again (EVT10). */
  readonly full?: true;
  /** The events that the newest subscription includes (EVT5). Absent: earlier code subscribed. */
  readonly claim?: {
    readonly since: number;
    readonly last?: number | undefined;
    readonly gapSince?: number | undefined;
  };
}

/** A stream of the run. The chunks of an open stream are counted in memory, from its rows (STR1). */
export interface StreamState {
  readonly op: OperationId;
  readonly generation: number;
  /** The number of chunks; absent while the stream is open. */
  readonly chunks?: number;
}

export interface RunHeader extends RunIdentity {
  readonly v: number;
  readonly status: RunStatus;
  /** The encoded input. Absent if it is large: then it is in the row `input`. */
  readonly input?: string | undefined;
  readonly output?: string | undefined;
  readonly error?: RunError | undefined;
  readonly seed: string;
  /**
   * 64 random bits as hexadecimal digits: another run with this id has others (RUN9). Set when the run is created, and never
   * changed. Absent in runs that older code created: these keep their keys.
   */
  readonly incarnation?: string | undefined;
  /** The MAC of the run's public URLs (SEC8). Absent: its deployment had no key. Set when the run is created. */
  readonly publicMac?: string | undefined;
  /** The replay flags. Set when the run is created, and never changed. Absent: none, so profile 0 applies (REP8). */
  readonly flags?: readonly number[] | undefined;
  /** Entries say where the function requested their operations (RES3). Absent in runs that older code created. */
  readonly recordsPlaces?: true | undefined;
  readonly number: number;
  readonly resumedFrom?: { readonly runId: string; readonly step?: string } | undefined;
  readonly resumedBy: readonly string[];
  readonly cancelReason?: string | undefined;
  readonly parent?: ParentRef | undefined;
  /** The parents that started this run again with its idempotency key (RUN2). */
  readonly followers?: readonly ParentRef[] | undefined;
  /** Set while the run unwinds, and afterwards (COMP1). */
  readonly unwinding?: { readonly cause: UnwindCause; readonly error: RunError } | undefined;
  readonly uncompensated?: readonly Uncompensated[] | undefined;
  /** Of a terminated run: the steps that are not undone, and the bodies that were in flight (CAN8). */
  readonly undone?: readonly OperationId[] | undefined;
  readonly inFlight?: readonly OperationId[] | undefined;
  /** The clean-up code of a stopped run did not execute, or took too long (CAN2, CAN9). */
  readonly cleanup?: "not run" | "timed out" | undefined;
  /** When a stopped run ends although no execution has run its clean-up code (CAN2). */
  readonly cleanupBy?: number | undefined;
  readonly metadata: Metadata;
  readonly streams: readonly StreamState[];

  readonly createdAt: number;
  /** The time at which a pending run starts. */
  readonly startAt?: number | undefined;
  /** The delay of the start, ms. */
  readonly delayMs?: number | undefined;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly updatedAt: number;
  readonly deadlineAt?: number | undefined;
  /** The result of `ctx.now()` before the first outcome. A resumed run takes it from its parent (RES4). */
  readonly clockStart?: number | undefined;

  /** The number of the newest execution. An execution that reports under another is superseded (DUR6). */
  readonly epoch: number;
  /** When the watchdog next checks the execution. Only set while the run is running. */
  readonly watchdogAt?: number | undefined;
  /** The status before the pause, the time of the pause, and who paused the run (CAN4, CAN6). */
  readonly paused?:
    | {
        readonly from: "pending" | "running" | "waiting";
        readonly at: number;
        readonly by: "operator" | "engine";
        /** The operator and the reason that it gave. Absent in runs that earlier code paused. */
        readonly subject?: string | undefined;
        readonly reason?: string | undefined;
      }
    | undefined;
  /** The number of executions that were lost in a row since the entry `seq`, the last that was progress (DUR7). */
  readonly crashes?: { readonly seq: number; readonly count: number } | undefined;
  /** The same for executions that were lost without a crash, for the reason `code` (DUR11). */
  readonly losses?: { readonly seq: number; readonly count: number; readonly code: string } | undefined;
  /** The executions in a row without progress that fell silent while the body of `op` executed (DUR11). */
  readonly silent?: { readonly seq: number; readonly op: OperationId; readonly count: number } | undefined;
  /** Dispatch has failed since `since`. It is retried at `retryAt` (DUR8). */
  readonly dispatch?:
    | (Pick<DispatchFailure, "since" | "failures" | "retryAt"> & { readonly code?: string; readonly message: string })
    | undefined;
  /** The number of requested operations at the last write of the header. */
  readonly asked: number;
  /** The open waits, oldest first. The stored header has only the first ones (`wait-rows.ts`). */
  readonly waits: readonly OpenWait[];
  /** The number of open waits that have rows of their own. Absent: none. */
  readonly waitRows?: number | undefined;
  /** The races without a winner. */
  readonly races?: readonly Race[] | undefined;
  /** The features of this run's rows that the first release of this format did not have (VER4). */
  readonly uses?: readonly string[] | undefined;
  /** When the next attempt of any step is due. */
  readonly retryAt?: number | undefined;
  /** When attempts last became due. An execution that has not received that time cannot park. */
  readonly retriedAt?: number | undefined;
  readonly inbox: { readonly count: number; readonly chars: number; readonly next: number };
  readonly deliveryIds: number;
  /** The topics for whose events the run waits or has waited. Absent: none. */
  readonly topics?: readonly RunTopic[] | undefined;
  /** The topics whose first event cancels the run. Set when the run is created. */
  readonly cancelOn?: readonly string[] | undefined;
  /** The number of audited actions so far. Only the rows of the newest are stored (SEC2). */
  readonly audited?: number | undefined;
  /** The state of the index of runs, and the pending update. Absent in deployments without an index. */
  readonly index?:
    | {
        readonly version: number;
        /** The status in the index, if it is known. */
        readonly acked?: RunStatus | undefined;
        readonly owed?: { readonly since: number; readonly failures: number; readonly retryAt: number } | undefined;
      }
    | undefined;
  /** When an ended run is deleted. */
  readonly expiresAt?: number | undefined;
  readonly outbox: OutboxState;
  /** The limits of the run, in the order of their names. Absent: none (L1). */
  readonly holds?: readonly Hold[] | undefined;
  /** The places at limits that steps have or want. Absent: none (STEP10). */
  readonly stepHolds?: readonly StepHold[] | undefined;
  /** The number of the newest place of a step: no later holding has it (GM1). */
  readonly lastStepSeq?: number | undefined;
  /** The description of its workflow is not known yet, so the run executes nothing (L9). Absent: it is, or nobody asks. */
  readonly undescribed?: Undescribed | undefined;
  /** The input is a list of one: the run is a batch that could not be collected. */
  readonly batched?: true | undefined;
  /** Since when the run waits for its limits. Absent: it does not want to execute, or it may. */
  readonly admission?: Admission | undefined;
  /** Seconds of head start in each queue (L4). */
  readonly priority?: number | undefined;
  /** The holdings of its ancestors, of mode `run`. */
  readonly heldAbove?: readonly HeldAbove[] | undefined;
}

/** Whether the run, or one of its steps, has limits. */
export function hasLimits(header: RunHeader | undefined): boolean {
  return header?.holds !== undefined || header?.stepHolds !== undefined;
}

/** Returns the earliest due time of the run (H2). Paused and ended runs only send messages, and ended runs expire. */
export function nextAlarm(header: RunHeader): number | null {
  let next = Infinity;
  const consider = (at: number | undefined): void => {
    if (at !== undefined && at < next) next = at;
  };
  consider(header.outbox.retryAt);
  consider(header.index?.owed?.retryAt);
  if (isTerminal(header.status) || header.status === "paused") {
    // An ended run is deleted only after all its messages were acknowledged.
    if (next === Infinity && isTerminal(header.status)) consider(header.expiresAt);
    return next === Infinity ? null : next;
  }
  consider(header.startAt);
  consider(header.deadlineAt);
  consider(header.watchdogAt);
  consider(header.cleanupBy);
  consider(header.dispatch?.retryAt);
  consider(header.undescribed?.askAt);
  for (const wait of header.waits) consider(wait.wakeAt);
  consider(header.retryAt);
  consider(admissionAlarm(header));
  consider(stepHoldsAlarm(header.stepHolds));
  return next === Infinity ? null : next;
}

/** Whether the run waits for an execution that was deferred without a failure (DUR12, DUR13). */
export function isDeferred(header: RunHeader | undefined): boolean {
  return header?.dispatch?.failures === 0 && header.dispatch.retryAt !== undefined;
}

/** Whether an input that no caller waits for would begin an execution, as an alarm would (DUR13). */
export function mayBegin(header: RunHeader | undefined, now: number): boolean {
  if (header === undefined || header.status === "running") return isDeferred(header);
  return (nextAlarm(header) ?? Infinity) <= now;
}
