/**
 * How a run is started, and what runs send each other.
 *
 * Owns: the messages, and the form in which a trigger is stored and sent. Receivers take a message once, however often
 * it arrives (CHILD4).
 *
 * Invariants
 * - M1 Rows of the outbox and objects of another version hold these forms: they only grow by optional fields (VER1).
 */
import type { ChildOutcome, EntryBody, JournalEntry, OperationId } from "@holdfast/protocol";
import type { ParentRef } from "./run-header.ts";
import type { RunIdentity } from "./run-identity.ts";

/** Create a run (RUN2, RUN3). Values are encoded; what the caller may say was checked before. */
export interface TriggerInput {
  readonly type: "trigger";
  readonly identity: RunIdentity;
  readonly input: string;
  /** 128 random bits, for a run that inherits none. */
  readonly seed: string;
  readonly delayMs?: number | undefined;
  readonly parent?: ParentRef | undefined;
  /** What a resumed run takes over (RES1–RES4). */
  readonly inherited?: Inheritance | undefined;
}

/**
 * A trigger as it is stored and sent: the attributes of the run stand beside the other fields, its id as `runId`. The
 * host of the new run adds the seed.
 */
export type ChildTrigger = Omit<RunIdentity, "id"> &
  Omit<TriggerInput, "type" | "identity" | "seed"> & { readonly runId: string };

/** The input of a stored or received trigger. */
export function toTriggerInput(trigger: ChildTrigger, seed: string): TriggerInput {
  const { runId, input, delayMs, parent, inherited, ...attributes } = trigger;
  return { type: "trigger", identity: { id: runId, ...attributes }, input, seed, delayMs, parent, inherited };
}

/** What a run takes over from the parent that it is resumed from. */
export interface Inheritance {
  readonly parentRunId: string;
  /** The caller that resumes, for the audit of the parent. */
  readonly by?: string | undefined;
  /** The step from which it executes again, as a name. */
  readonly step?: string | undefined;
  readonly number: number;
  readonly seed?: string | undefined;
  readonly clockStart?: number | undefined;
  /** The parent's replay flags: what is taken over replays as it was (REP8). */
  readonly flags?: readonly number[] | undefined;
  /** Entries that make the beginning of the new run's journal. */
  readonly entries: readonly JournalEntry[];
  /** Outcomes that apply when their operations are requested. */
  readonly outcomes: readonly EntryBody[];
}

/** What a resumed run takes from its parent, unless the caller says otherwise. */
export type ResumePlan = Pick<
  RunIdentity,
  "workflowId" | "workflowVersion" | "environment" | "tags" | "tenantMeta" | "timeoutMs"
> & { readonly inherited: Inheritance; readonly input: string };

/** What runs send each other. */
export type RunMessage =
  | { readonly type: "trigger"; readonly trigger: ChildTrigger; readonly op: OperationId }
  | { readonly type: "cancel"; readonly reason: string }
  /** A run was resumed from the receiver (RES1). `by`: the caller, for the audit. */
  | { readonly type: "noteResumed"; readonly runId: string; readonly by?: string }
  | { readonly type: "childEnded"; readonly op: OperationId; readonly outcome: ChildOutcome };
