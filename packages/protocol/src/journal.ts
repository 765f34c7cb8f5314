/**
 * The journal of a run: the ordered list of its events, from which its state is computed.
 *
 * Owns: the shape of its entries, the same in storage and on the wire.
 * Interface: the orchestrator appends entries; the replay engine reads them in order; entries are never edited.
 *
 * Invariants
 * - J1 `seq` starts at 1 and has no gaps. `at` never decreases.
 * - J2 An operation has at most one outcome entry (see `isOutcome`).
 * - J3 `asked` is the number of requested operations in the newest report when the entry was made. A replay delivers an
 *   outcome only after the function has requested that many. If the operation is not among them, the code has changed
 *   (REP5).
 */
import type { Ask } from "./ask.ts";
import type { ErrorValue } from "./errors.ts";
import type { OperationId } from "./ids.ts";
import type { EncodedValue } from "./values.ts";

interface EntryFields {
  /** Format version of the row (VER1). */
  readonly v: number;
  readonly seq: number;
  /** The time of its commit, ms since 1970. */
  readonly at: number;
  readonly asked: number;
  /**
   * The outcome arrived after the function had been idle for one turn of the event loop. A replay waits one turn before
   * this outcome too, so that computations without operations finish before it again (REP2).
   */
  readonly quiet?: true;
  /** The operation's position among those that the function requested, counted from 1. */
  readonly nth: number;
  readonly op: OperationId;
  /**
   * In the first entry about an operation: the `seq` of the outcome that the function had received last when it requested
   * the operation; 0: none (RES3). Absent, if the header has `recordsPlaces`: that of the operation before it (`nth - 1`)
   * if its `asked` is lower than `nth`, and otherwise the same as for that operation.
   */
  readonly after?: number;
  /** Counts the requests of this kind and name after that outcome, from 0. Absent: 0. */
  readonly use?: number;
}

/** The content of an entry, before the orchestrator numbers it. */
export type EntryBody =
  /** A `once` step is about to execute its body (DUR3). */
  | { readonly type: "step.started"; readonly op: OperationId; readonly startedAt: number }
  /** An attempt failed, and the next follows at `retryAt` (STEP2). */
  | {
      readonly type: "step.retrying";
      readonly op: OperationId;
      readonly attempt: number;
      readonly startedAt: number;
      readonly retryAt: number;
      /** How many attempts the step may have. Absent: any number, or earlier code wrote the entry. */
      readonly max?: number;
      readonly error: ErrorValue;
      /** The last progress of the body (STEP8). */
      readonly progress?: EncodedValue;
    }
  | {
      readonly type: "step.completed";
      readonly op: OperationId;
      readonly attempt: number;
      readonly startedAt: number;
      readonly value: EncodedValue;
      /** The last progress of the body (STEP8). */
      readonly progress?: EncodedValue;
      /** The caller of `resume` gave the result; the body did not execute (RES2). */
      readonly seeded?: true;
      /** The step declares a compensation (COMP1). */
      readonly compensable?: true;
      /** The step belongs to `ctx.shielded` (CAN9). */
      readonly shielded?: true;
    }
  | {
      readonly type: "step.failed";
      readonly op: OperationId;
      readonly attempt: number;
      readonly startedAt: number;
      readonly error: ErrorValue;
      /** The last progress of the body (STEP8). */
      readonly progress?: EncodedValue;
    }
  /** A wait started. It ends or times out at `wakeAt` (WAIT1). */
  | {
      readonly type: "wait.opened";
      readonly op: OperationId;
      readonly wakeAt?: number;
      readonly tokenId?: string;
      /** What a person is asked. */
      readonly ask?: Ask;
    }
  | {
      readonly type: "wait.resolved";
      readonly op: OperationId;
      readonly value: EncodedValue;
      readonly deliveryId?: string;
      /** Of a token: the caller who answered. */
      readonly answeredBy?: string;
    }
  | { readonly type: "wait.timed_out"; readonly op: OperationId }
  /** The wait was let go and takes no delivery any longer (WAIT11). */
  | {
      readonly type: "wait.released";
      readonly op: OperationId;
      /** The operation that won the race which this one lost. */
      readonly by?: OperationId;
      /** The reason of the aborted signal, with which the wait rejects. */
      readonly value?: EncodedValue;
    }
  /** The function requested a child run, which gets this id (CHILD1). */
  | { readonly type: "child.started"; readonly op: OperationId; readonly runId: string; readonly detached?: true }
  /** A child run ended, or could not be started (CHILD2). */
  | { readonly type: "child.ended"; readonly op: OperationId; readonly outcome: ChildOutcome }
  /** The run starts to unwind (COMP1). The function requests it, except after a cancel or a time-out. */
  | {
      readonly type: "run.unwinding";
      readonly op: OperationId;
      readonly cause: UnwindCause;
      readonly error: ErrorValue;
    }
  /** A change to the run's metadata (META1). */
  | { readonly type: "metadata.changed"; readonly op: OperationId; readonly change: MetadataChange }
  /** A stream starts. Chunks of a higher generation replace those of all lower ones (STR1). */
  | { readonly type: "stream.started"; readonly op: OperationId; readonly generation: number };

/** Why a run unwinds. */
export type UnwindCause = "failure" | "cancel" | "timeout" | "request";

/** The end of a child run, as sent to its parent. */
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

/** Where the function requested an operation. */
export type RequestPlace = Pick<EntryFields, "after" | "use">;

/** Whether an entry settles its operation (J2). */
export function isOutcome(entry: { readonly type: EntryBody["type"]; readonly detached?: true }): boolean {
  switch (entry.type) {
    case "step.completed":
    case "step.failed":
    case "wait.resolved":
    case "wait.timed_out":
    case "wait.released":
    case "child.ended":
    case "run.unwinding":
      return true;
    case "child.started":
      // No operation waits for a detached child: its start is the outcome.
      return entry.detached === true;
    case "step.started":
    case "step.retrying":
    case "wait.opened":
    case "metadata.changed":
    case "stream.started":
      return false;
  }
}
