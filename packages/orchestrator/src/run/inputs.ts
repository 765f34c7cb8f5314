/**
 * What can happen to a run, what it answers, and what it wants done.
 *
 * Owns: the inputs, replies and effects of `transition`, as data.
 */
import type {
  AbortReason,
  ChildOutcome,
  Delivery,
  ErrorValue,
  ExecutionReport,
  ExecutionUpdate,
  Limits,
  OperationId,
  ReportAnswer,
} from "@holdfast/protocol";
import type { SendResult } from "../host/outbox-sender.ts";
import type { TriggerInput } from "./messages.ts";
import type { DeliveryKind } from "./rows.ts";

/** Who requested it, for the audit. A trigger says it in `triggeredBy`. */
interface Requested {
  readonly by?: string | undefined;
}

export type Input =
  | TriggerInput
  | (Requested & {
      readonly type: "deliver";
      readonly kind: DeliveryKind;
      readonly name: string;
      readonly payload: string;
      readonly deliveryId?: string | undefined;
    })
  | (Requested & {
      readonly type: "resolveToken";
      readonly tokenId: string;
      readonly payload: string;
      /** The caller has shown no credentials: only a public token is known. */
      readonly publicly?: boolean;
    })
  | (Requested & { readonly type: "cancel"; readonly reason?: string | undefined })
  /** An operator pauses the run, lets it continue (CAN4), or tries again what the engine had paused (CAN5). */
  | (Requested & { readonly type: "pause" })
  | (Requested & { readonly type: "unpause" })
  | (Requested & { readonly type: "retry" })
  /** May the run be deleted? The host deletes the rows when the reply says so (VER3). */
  | { readonly type: "delete" }
  /** A child of this run ended (CHILD2). */
  | { readonly type: "childEnded"; readonly op: OperationId; readonly outcome: ChildOutcome }
  /** The result of sending a message of the outbox. */
  | { readonly type: "sent"; readonly key: string; readonly result: SendResult }
  /** The result of sending a row to the index of runs. */
  | { readonly type: "indexed"; readonly version: number; readonly stored: boolean }
  /** The index of runs asks for the row again. */
  | { readonly type: "reindex" }
  /** A run was resumed from this one (RES1). */
  | (Requested & { readonly type: "noteResumed"; readonly runId: string })
  | { readonly type: "alarm" }
  | { readonly type: "report"; readonly report: ExecutionReport }
  /** The pipe to the execution of this epoch, or the process that executes it, is gone (DUR8). */
  | { readonly type: "lost"; readonly epoch: number; readonly error: ErrorValue };

/** What the host knows and the state does not. */
export interface HostContext {
  /** The time, ms since the epoch. */
  readonly now: number;
  /** Whether this host holds a live execution of the run's newest epoch. */
  readonly live: boolean;
  /** The limits of this deployment (LIM1). */
  readonly limits: Limits;
  /** Whether this host can send messages to other runs. */
  readonly canSend: boolean;
  /** Whether this host updates an index of runs. */
  readonly indexes?: boolean;
  /** How long a run is kept after its end, ms. For ever without it. */
  readonly retentionMs?: number | undefined;
  /** The replay flags that a new run gets, if not the newest (REP8). */
  readonly flags?: readonly number[] | undefined;
}

export type RefusalCode =
  | "already_resolved"
  | "idempotency_conflict"
  | "inbox_full"
  | "newer_format"
  | "not_applicable"
  | "not_found"
  | "parent_not_ended"
  | "run_not_ended"
  | "run_terminal"
  | "token_not_found"
  | "unknown_step";

export type Reply =
  | { readonly type: "done" }
  | { readonly type: "created" }
  | { readonly type: "exists" }
  | { readonly type: "delivered"; readonly delivery: Delivery }
  | { readonly type: "report"; readonly answer: ReportAnswer }
  /** Nothing was changed. */
  | { readonly type: "refused"; readonly code: RefusalCode; readonly message: string };

/** What the host does after the commit, in this order. */
export type Effect =
  /** Begin an execution of the header's epoch, from the journal. */
  | { readonly type: "start" }
  /** Update the live execution. */
  | { readonly type: "update"; readonly update: ExecutionUpdate }
  /** Stop the live execution and forget it. */
  | { readonly type: "abort"; readonly reason: AbortReason }
  /** Send what is in the outbox. `again`: what is in flight too. */
  | { readonly type: "send"; readonly again: boolean }
  /** Update the index of runs. */
  | { readonly type: "index" };
