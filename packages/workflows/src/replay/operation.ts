/**
 * One operation that the function asked for, until it is settled.
 *
 * Owns: its promise, and what the journal has said about it so far.
 */
import {
  type ChildOutcome,
  type ErrorValue,
  type JournalEntry,
  type MetadataChange,
  type OperationId,
  type OperationKind,
  type RetryPolicy,
  decodeValue,
  describeOperation,
  fromErrorValue,
} from "@holdfast/protocol";
import { ChildRunError, TimeoutError } from "../errors.ts";
import type { StepContext } from "../step-context.ts";

export interface StepRequest {
  readonly fn: (step: StepContext) => unknown;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | undefined;
  readonly once: boolean;
  /** Declared to undo the step; gets the decoded result (COMP1). */
  readonly compensate?: ((output: unknown) => unknown) | undefined;
}

export interface ChildRequest {
  readonly workflowId: string;
  readonly workflowVersion?: string;
  readonly input: string;
  readonly tags: readonly string[];
  readonly idempotencyKey?: string;
  readonly detached: boolean;
}

/** The run turns back: the function failed, or asked for it (COMP1). */
export interface UnwindRequest {
  readonly cause: "failure" | "request";
  readonly error: ErrorValue;
  readonly step?: OperationId;
}

export interface WaitRequest {
  readonly afterMs?: number;
  readonly wakeAt?: number;
  readonly tokenId?: string;
  readonly public?: true;
  readonly match?: string;
}

export type Request =
  | { readonly type: "step"; readonly step: StepRequest }
  | { readonly type: "wait"; readonly wait: WaitRequest }
  | { readonly type: "child"; readonly child: ChildRequest }
  | { readonly type: "metadata"; readonly change: MetadataChange }
  | { readonly type: "unwind"; readonly unwind: UnwindRequest };

/** What a wait settles with: a time-out is told apart from every payload (WAIT4). */
export type WaitOutcome = { readonly timedOut: false; readonly payload: unknown } | { readonly timedOut: true };

export class OpenOperation {
  readonly id: OperationId;
  readonly kind: OperationKind;
  /** It was the nth that the function asked for, counted from 1. */
  readonly nth: number;
  readonly request: Request;
  readonly promise: Promise<unknown>;
  settled = false;
  /** Failed attempts, as journaled. */
  attempts = 0;
  /** When the next attempt is due. */
  retryAt: number | undefined;
  /** The journal holds that it began: a wait, a child, a change, the body of a `once` step. */
  journaled = false;
  /** This execution told that the body starts, where that is journaled before. */
  announced = false;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(id: OperationId, kind: OperationKind, nth: number, request: Request) {
    this.id = id;
    this.kind = kind;
    this.nth = nth;
    this.request = request;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A rejection that is handled late, or never, is no trouble of the process (REP7).
    this.promise.catch(() => {});
  }

  /** Takes note of an entry that is not an outcome. */
  note(entry: JournalEntry): void {
    if (entry.type === "step.retrying") {
      this.attempts = entry.attempt;
      this.retryAt = entry.retryAt;
    } else {
      this.journaled = true;
    }
  }

  /** Settles with an outcome of the journal. Returns the error that the function gets, if it is one. */
  settle(entry: JournalEntry): Error | undefined {
    this.settled = true;
    switch (entry.type) {
      case "step.completed":
        this.#resolve(decodeValue(entry.value));
        return undefined;
      case "step.failed": {
        const error = fromErrorValue(entry.error);
        this.#reject(error);
        return error;
      }
      case "wait.resolved":
        this.#resolve({ timedOut: false, payload: decodeValue(entry.value) } satisfies WaitOutcome);
        return undefined;
      case "wait.timed_out":
        this.#resolve({ timedOut: true } satisfies WaitOutcome);
        return undefined;
      case "child.started":
        this.#resolve({ runId: entry.runId });
        return undefined;
      case "child.ended": {
        const error = childError(entry.outcome);
        if (error === undefined)
          this.#resolve("output" in entry.outcome ? decodeValue(entry.outcome.output) : undefined);
        else this.#reject(error);
        return undefined;
      }
      default:
        this.#resolve(undefined);
        return undefined;
    }
  }

  /** Has no outcome, or needs none any more. Its promise stays as it is. */
  leave(): void {
    this.settled = true;
  }

  /** Settles without the journal: the run was cancelled. */
  refuse(error: Error): void {
    this.settled = true;
    this.#reject(error);
  }
}

/** What the parent catches: the child's own error, with where it came from (CHILD2). */
function childError(outcome: ChildOutcome): Error | undefined {
  if ("output" in outcome) return undefined;
  const { error, runId, status } = outcome;
  return new ChildRunError(`The child run ${runId} ended ${status}: ${error.message}`, {
    cause: fromErrorValue(error),
    data: { runId, status, error: { name: error.name, message: error.message, code: error.code } },
  });
}

/** The error of a wait that timed out with `onTimeout: "throw"`. */
export function waitTimeoutError(id: OperationId): TimeoutError {
  return new TimeoutError(`Nothing came for ${describeOperation(id)} before its time-out.`);
}
