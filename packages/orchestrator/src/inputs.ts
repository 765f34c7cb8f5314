/**
 * What can happen to a run, what it answers, and what it wants done.
 *
 * Owns: the inputs, replies and effects of `transition`, as data.
 */
import type {
  AbortReason,
  ErrorValue,
  ExecutionReport,
  ExecutionUpdate,
  JournalEntry,
  ReportAnswer,
} from "@holdfast/protocol";
import type { DeliveryKind } from "./run-state.ts";

/** Create a run (RUN2, RUN3). Values are encoded; what the caller may say was checked before. */
export interface TriggerInput {
  readonly type: "trigger";
  readonly runId: string;
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
  readonly delayMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
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
  readonly entries: readonly JournalEntry[];
  readonly seedResults: readonly (readonly [step: string, result: string])[];
}

export type Input =
  | TriggerInput
  | {
      readonly type: "deliver";
      readonly kind: DeliveryKind;
      readonly name: string;
      readonly payload: string;
      readonly deliveryId?: string | undefined;
    }
  | { readonly type: "resolveToken"; readonly tokenId: string; readonly payload: string }
  | { readonly type: "cancel"; readonly reason?: string | undefined }
  /** A run was resumed from this one (RES1). */
  | { readonly type: "noteResumed"; readonly runId: string }
  | { readonly type: "alarm" }
  | { readonly type: "report"; readonly report: ExecutionReport }
  /** The pipe to the execution of this epoch, or the code behind it, is gone (DUR8). */
  | { readonly type: "lost"; readonly epoch: number; readonly error: ErrorValue };

/** What the host knows and the state does not. */
export interface Circumstances {
  /** The time, ms since the epoch. */
  readonly now: number;
  /** Whether this host holds a live execution of the run's newest epoch. */
  readonly live: boolean;
}

export type RefusalCode =
  | "already_resolved"
  | "idempotency_conflict"
  | "inbox_full"
  | "limit_exceeded"
  | "not_found"
  | "parent_not_ended"
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
  | { readonly type: "abort"; readonly reason: AbortReason };
