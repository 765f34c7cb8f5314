/**
 * What can happen to a run, what it answers, and what it wants done.
 *
 * Owns: the inputs, replies and effects of `transition`, as data.
 */
import type {
  AbortReason,
  ChildOutcome,
  EntryBody,
  ErrorValue,
  ExecutionReport,
  ExecutionUpdate,
  JournalEntry,
  OperationId,
  ReportAnswer,
} from "@holdfast/protocol";
import type { ParentRef } from "./run-header.ts";
import type { DeliveryKind } from "./run-state.ts";

/** Create a run (RUN2, RUN3). Values are encoded; what the caller may say was checked before. */
export interface TriggerInput {
  readonly type: "trigger";
  readonly runId: string;
  readonly tenantId?: string | undefined;
  readonly workflowId: string;
  readonly workflowVersion?: string | undefined;
  readonly input: string;
  /** 128 random bits, for a run that inherits none. */
  readonly seed: string;
  readonly tags: readonly string[];
  readonly environment: string;
  readonly tenantMeta?: string | undefined;
  readonly triggeredBy: string;
  readonly idempotencyKey?: string | undefined;
  /** Where the API answers, as the caller reached it: the start of token URLs (WAIT7). */
  readonly baseUrl?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly delayMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly parent?: ParentRef | undefined;
  /** What a resumed run takes over (RES1–RES4). */
  readonly inherited?: Inheritance | undefined;
}

/** What a run takes over from the parent that it is resumed from. */
export interface Inheritance {
  readonly parentRunId: string;
  /** The step from which it executes anew, as a name. */
  readonly step?: string | undefined;
  readonly number: number;
  readonly seed?: string | undefined;
  readonly clockStart?: number | undefined;
  /** Entries that make the beginning of the new run's journal. */
  readonly entries: readonly JournalEntry[];
  /** Outcomes that apply when their operations are asked for. */
  readonly outcomes: readonly EntryBody[];
}

/** Who asked for it, for the audit. A trigger says it in `triggeredBy`. */
interface Asked {
  readonly by?: string | undefined;
}

export type Input =
  | TriggerInput
  | (Asked & {
      readonly type: "deliver";
      readonly kind: DeliveryKind;
      readonly name: string;
      readonly payload: string;
      readonly deliveryId?: string | undefined;
    })
  | (Asked & {
      readonly type: "resolveToken";
      readonly tokenId: string;
      readonly payload: string;
      /** The caller has shown no credentials: only a public token is known. */
      readonly publicly?: boolean;
    })
  | (Asked & { readonly type: "cancel"; readonly reason?: string | undefined })
  /** An operator stops the run, or lets it go on (CAN4), or tries again what the engine had paused (CAN5). */
  | (Asked & { readonly type: "pause" })
  | (Asked & { readonly type: "unpause" })
  | (Asked & { readonly type: "retry" })
  /** May the run be deleted? The host deletes the rows when the reply says so (VER3). */
  | { readonly type: "delete" }
  /** A child of this run ended (CHILD2). */
  | { readonly type: "childEnded"; readonly op: OperationId; readonly outcome: ChildOutcome }
  /** What became of a message of the outbox. */
  | { readonly type: "sent"; readonly key: string; readonly result: SendResult }
  /** A run was resumed from this one (RES1). */
  /** What became of a row for the index of runs. */
  | { readonly type: "indexed"; readonly version: number; readonly stored: boolean }
  /** The index of runs asks to be told anew. */
  | { readonly type: "reindex" }
  | (Asked & { readonly type: "noteResumed"; readonly runId: string })
  | { readonly type: "alarm" }
  | { readonly type: "report"; readonly report: ExecutionReport }
  /** The pipe to the execution of this epoch, or the code behind it, is gone (DUR8). */
  | { readonly type: "lost"; readonly epoch: number; readonly error: ErrorValue };

/** Acknowledged, refused for good, or not delivered. */
export type SendResult =
  | { readonly type: "acknowledged" }
  | { readonly type: "refused"; readonly error: ErrorValue }
  | { readonly type: "unreachable" };

/** What the host knows and the state does not. */
export interface Circumstances {
  /** The time, ms since the epoch. */
  readonly now: number;
  /** Whether this host holds a live execution of the run's newest epoch. */
  readonly live: boolean;
  /** Whether this host can send messages to other runs. */
  readonly canSend: boolean;
  /** Whether this host tells an index of runs. */
  readonly indexes?: boolean;
  /** How long a run is kept after its end, ms. For ever without it. */
  readonly retentionMs?: number | undefined;
}

export type RefusalCode =
  | "already_resolved"
  | "idempotency_conflict"
  | "inbox_full"
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
  | { readonly type: "delivered"; readonly delivery: "resolved" | "buffered" | "duplicate" }
  | { readonly type: "report"; readonly answer: ReportAnswer }
  /** Nothing was changed. */
  | { readonly type: "refused"; readonly code: RefusalCode; readonly message: string };

/** What the host does after the commit, in this order. */
export type Effect =
  /** Begin an execution of the header's epoch, from the journal. */
  | { readonly type: "start" }
  /** Tell the live execution. */
  | { readonly type: "update"; readonly update: ExecutionUpdate }
  /** Stop the live execution and forget it. */
  | { readonly type: "abort"; readonly reason: AbortReason }
  /** Send what is in the outbox. */
  | { readonly type: "send" }
  /** Tell the index of runs how the run stands now. */
  | { readonly type: "index" };
