/**
 * The inputs, replies and effects of a run's transition, as data.
 *
 * Owns: their types, and the type of the context that the host supplies.
 */
import type {
  AbortReason,
  AnswerIssue,
  ChildOutcome,
  Delivery,
  ErrorValue,
  ExecutionReport,
  ExecutionUpdate,
  Limits,
  OperationId,
  ReportAnswer,
  StepInProgress,
  WorkflowDescription,
} from "@holdfast/protocol";
import type { SendResult } from "../../host/outbox-sender.ts";
import type { HolderAnswer, HolderMessage } from "../../gate/messages.ts";
import type { Plan, PlanRefusal } from "../../flow/plan.ts";
import type { Deadlock } from "./deadlock.ts";
import type { Silence } from "./liveness.ts";
import type { TriggerInput } from "../state/messages.ts";
import type { ParentRef } from "../state/run-header.ts";
import type { SubscriberAnswer, SubscriberMessage } from "../../topic/messages.ts";
import type { DeliveryKind } from "../state/rows.ts";

/** An input with its caller, for the audit. A trigger has its caller in `triggeredBy`. */
export interface Requested {
  readonly by?: string | undefined;
  /** The caller's key of the request: the same one again has no effect again, and is answered as done (API10). */
  readonly requestKey?: string | undefined;
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
      /** The caller has a public URL of this incarnation instead of credentials: it may only answer public tokens of it. */
      readonly publicly?: { readonly incarnation: string };
    })
  | (Requested & {
      readonly type: "cancel";
      readonly reason?: string | undefined;
      /** The parent that cancels its child. Absent if a caller cancels. */
      readonly parent?: Pick<ParentRef, "runId" | "op"> | undefined;
    })
  /** An operator ends the run at once, without its code (CAN8). */
  | (Requested & { readonly type: "terminate"; readonly reason: string })
  /** An operator pauses or unpauses the run (CAN4), or retries a run that the engine paused (CAN5). */
  | (Requested & { readonly type: "pause"; readonly reason?: string | undefined })
  | (Requested & { readonly type: "unpause" })
  | (Requested & { readonly type: "retry" })
  /** Asks whether the run may be deleted. The host deletes the rows if the reply is `done` (VER3). */
  | { readonly type: "delete" }
  /** A child of this run ended (CHILD2). */
  | {
      readonly type: "childEnded";
      readonly op: OperationId;
      readonly outcome: ChildOutcome;
      readonly start?: number | undefined;
    }
  /** A message of a topic (EVT6). The reply is `subscriber`. */
  | { readonly type: "fromTopic"; readonly message: SubscriberMessage }
  /** The result of sending a message of the outbox. */
  | { readonly type: "sent"; readonly key: string; readonly result: SendResult }
  /** The result of sending a row to the index of runs. */
  | { readonly type: "indexed"; readonly version: number; readonly stored: boolean }
  /** The index of runs needs the row again. `restored`: the run comes from a back-up (DUR14). */
  | (Requested & { readonly type: "reindex"; readonly restored?: true | undefined })
  /** A run was resumed from this one (RES1). */
  | (Requested & {
      readonly type: "noteResumed";
      readonly runId: string;
      readonly createdAt?: number | undefined;
      readonly resumedAt?: number | undefined;
    })
  /** A gate says something about a hold of this run. */
  | { readonly type: "fromGate"; readonly message: HolderMessage }
  /** Gates have lost their rows: the run states its holds again (L5). */
  | (Requested & { readonly type: "restateHolds" })
  /**
   * The answer to the effect `describe`. `workflow`: `null` if the step handler does not serve it, `undefined` if it describes
   * none. `error`: it could not be asked.
   */
  | {
      readonly type: "described";
      readonly workflow?: WorkflowDescription | null | undefined;
      readonly error?: ErrorValue | undefined;
    }
  /** This run must end, so that others which wait for it continue (L10). */
  | { readonly type: "deadlock"; readonly found: Deadlock }
  | { readonly type: "alarm" }
  /** Settles timers and does nothing else: a request arrived after the clock was set back. */
  | { readonly type: "settle" }
  /** `from`: the epoch of the execution whose port received the report. */
  | { readonly type: "report"; readonly report: ExecutionReport; readonly from?: number }
  /** The pipe to the execution of this epoch, or the process that executes it, is gone (DUR8). */
  | { readonly type: "lost"; readonly epoch: number; readonly error: ErrorValue };

/** The reason for which no execution begins, and the time until it is tried again, ms. */
export interface Deferral {
  readonly delayMs: number;
  readonly code: "EXECUTIONS_MAX" | "HELD";
  readonly message: string;
}

/** Facts for a decision that are not part of the state. */
export interface HostContext {
  /** The time, ms since the epoch. */
  readonly now: number;
  /** Whether this host holds a live execution of the run's newest epoch. */
  readonly live: boolean;
  /** The silence of the live execution. `undefined`: none is live, or it runs in this process (DUR11). */
  readonly silence?: Silence | undefined;
  /**
   * The description of the workflow of a trigger. `null`: no handler serves it; `undefined`: unknown without a call. Only
   * for the input `trigger`.
   */
  readonly workflow?: WorkflowDescription | null | undefined;
  /** Of a trigger: the limits of the new run, or why they cannot be had. Absent: it has none (L1). */
  readonly plan?: Plan | PlanRefusal | undefined;
  /**
   * The bodies that the live execution has in progress. For `terminate` and `pause`, of a paused run with limits, and of a
   * silent execution.
   */
  readonly inProgress?: readonly StepInProgress[];
  /** Why no execution begins now, and when it is tried again. Absent: executions begin. */
  readonly deferral?: Deferral | undefined;
  /** An operator holds the deployment: alarms do nothing (DUR12). */
  readonly held?: boolean;
  /** The limits of this deployment (LIM1). */
  readonly limits: Limits;
  /** Whether this host can send messages to other runs. */
  readonly canSend: boolean;
  /** Whether it can send messages to coordinators, such as topics. */
  readonly coordinates?: boolean | undefined;
  /** The time of the Worker version, ms since 1970. Default 0. */
  readonly rev?: number | undefined;
  /** Whether this host updates an index of runs. */
  readonly indexes?: boolean;
  /** How long an ended run is stored, ms; `undefined`: no expiry. */
  readonly retentionMs?: number | undefined;
  /** The replay flags of a new run. Default: the newest (REP8). */
  readonly flags?: readonly number[] | undefined;
}

export type RefusalCode =
  | "already_resolved"
  | "invalid_answer"
  | "idempotency_conflict"
  | "inbox_full"
  | "limit_key_invalid"
  | "limits_not_configured"
  | "newer_format"
  | "not_applicable"
  | "not_found"
  | "parent_not_ended"
  | "run_not_ended"
  | "run_terminal"
  | "run_unwinding"
  | "token_not_found"
  | "unknown_step"
  | "workflow_not_found";

export type Reply =
  | { readonly type: "done" }
  | { readonly type: "created" }
  | { readonly type: "exists" }
  | { readonly type: "delivered"; readonly delivery: Delivery }
  | { readonly type: "report"; readonly answer: ReportAnswer }
  /** The answer to a gate. */
  | { readonly type: "holder"; readonly answer: HolderAnswer }
  | { readonly type: "subscriber"; readonly answer: SubscriberAnswer }
  /** The input was rejected and changed nothing. */
  | {
      readonly type: "refused";
      readonly code: RefusalCode;
      readonly message: string;
      readonly details?: {
        /** Of `invalid_answer`. */
        readonly issues?: readonly AnswerIssue[] | undefined;
        /** Of `already_resolved`: who answered. For readers of the run. */
        readonly by?: string | undefined;
      };
    };

/** The list of actions has the same refusals as their routes (ACT1). */
export type Refusal = Reply & { readonly type: "refused" };

/** The actions of the host after the commit, in this order. */
export type Effect =
  /** Start an execution of the header's epoch, from the journal. `replaces`: instead of one that was lost (DUR10). */
  | { readonly type: "start"; readonly replaces?: true }
  /** Update the live execution. */
  | { readonly type: "update"; readonly update: ExecutionUpdate }
  /** Stop the live execution and drop it. */
  | { readonly type: "abort"; readonly reason: AbortReason }
  /** Ask the live execution for a sign of life (DUR11). */
  | { readonly type: "ping" }
  /** Send the messages of the outbox. `again`: messages in flight, too. */
  | { readonly type: "send"; readonly again: boolean }
  /** Ask the step handler for the description of the workflow (L9). */
  | { readonly type: "describe" }
  /** Search for runs that wait for each other (L10). */
  | { readonly type: "findDeadlock" }
  /** Update the index of runs. */
  | { readonly type: "index" };
