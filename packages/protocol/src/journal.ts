/**
 * The journal: the ordered list of what has happened to a run, and the truth about it.
 *
 * Owns: the shape of its entries, the same in storage and on the wire.
 * Tells its neighbours: the orchestrator appends; the replay engine reads in order; nobody edits.
 *
 * Invariants
 * - J1 `seq` starts at 1 and has no gaps. `at` never decreases.
 * - J2 An operation has at most one outcome entry (see `isOutcome`).
 * - J3 `asked` is how many operations the function had asked for when the entry was made, as far as the orchestrator
 *   had been told. A replay delivers an outcome only after that many were asked, and if the operation is not among
 *   them, the code has changed (REP5).
 */
import type { ErrorValue } from "./errors.ts";
import type { OperationId } from "./ids.ts";
import type { EncodedValue } from "./values.ts";

interface EntryFields {
  /** Format version of the row (VER1). */
  readonly v: number;
  readonly seq: number;
  /** When it was journaled, ms since the epoch. */
  readonly at: number;
  readonly asked: number;
  /**
   * The outcome came when the function had been quiet for a whole turn of the event loop: on replay it gets one too,
   * so that what it computes by itself meanwhile comes before the outcome again (REP2).
   */
  readonly quiet?: true;
  /** The operation was the nth that the function asked for, counted from 1. */
  readonly nth: number;
  readonly op: OperationId;
}

/** What an entry says, before the orchestrator numbers it. */
export type EntryBody =
  /** A `once` step is about to execute its body (DUR3). */
  | { readonly type: "step.started"; readonly op: OperationId; readonly startedAt: number }
  /** An attempt failed and another will follow at `retryAt` (STEP2). */
  | {
      readonly type: "step.retrying";
      readonly op: OperationId;
      readonly attempt: number;
      readonly startedAt: number;
      readonly retryAt: number;
      readonly error: ErrorValue;
    }
  | {
      readonly type: "step.completed";
      readonly op: OperationId;
      readonly attempt: number;
      readonly startedAt: number;
      readonly value: EncodedValue;
      /** The result was taken over or given by the caller of `resume`; the body did not run (RES2). */
      readonly seeded?: true;
      /** The step declared how to undo it (COMP1). */
      readonly compensable?: true;
    }
  | {
      readonly type: "step.failed";
      readonly op: OperationId;
      readonly attempt: number;
      readonly startedAt: number;
      readonly error: ErrorValue;
    }
  /** A wait began. `wakeAt` is when it ends or times out (WAIT1). */
  | {
      readonly type: "wait.opened";
      readonly op: OperationId;
      readonly wakeAt?: number;
      readonly tokenId?: string;
    }
  | {
      readonly type: "wait.resolved";
      readonly op: OperationId;
      readonly value: EncodedValue;
      readonly deliveryId?: string;
    }
  | { readonly type: "wait.timed_out"; readonly op: OperationId }
  /** A child run was asked for, under this id (CHILD1). */
  | { readonly type: "child.started"; readonly op: OperationId; readonly runId: string; readonly detached?: true }
  /** A child run ended, or could not be started (CHILD2). */
  | { readonly type: "child.ended"; readonly op: OperationId; readonly outcome: ChildOutcome }
  /** The run turns from going forward to undoing (COMP1). The function asks for it, but for a cancel or time-out. */
  | {
      readonly type: "run.unwinding";
      readonly op: OperationId;
      readonly cause: UnwindCause;
      readonly error: ErrorValue;
    }
  /** A change to the run's metadata (META1). */
  | { readonly type: "metadata.changed"; readonly op: OperationId; readonly change: MetadataChange }
  /** A stream is produced; a higher generation replaces what an earlier one had produced (STR1). */
  | { readonly type: "stream.started"; readonly op: OperationId; readonly generation: number };

/** Why a run is undone. */
export type UnwindCause = "failure" | "cancel" | "timeout" | "request";

/** How a child run ended, as its parent learns it. */
export type ChildOutcome =
  | { readonly status: "completed"; readonly runId: string; readonly output: EncodedValue }
  | { readonly status: string; readonly runId: string; readonly error: ErrorValue };

/** One change to one key of the run's metadata (META1). */
export type MetadataChange =
  | { readonly type: "set"; readonly key: string; readonly value: EncodedValue }
  | { readonly type: "increment"; readonly key: string; readonly by: number }
  | { readonly type: "append"; readonly key: string; readonly value: EncodedValue }
  | { readonly type: "remove"; readonly key: string };

export type JournalEntry = EntryFields & EntryBody;

/** True for the entries that settle an operation (J2). */
export function isOutcome(entry: { readonly type: EntryBody["type"]; readonly detached?: true }): boolean {
  switch (entry.type) {
    case "step.completed":
    case "step.failed":
    case "wait.resolved":
    case "wait.timed_out":
    case "child.ended":
    case "run.unwinding":
      return true;
    case "child.started":
      // Nobody waits for a detached child: that it was started is the outcome.
      return entry.detached === true;
    case "step.started":
    case "step.retrying":
    case "wait.opened":
    case "metadata.changed":
    case "stream.started":
      return false;
  }
}
