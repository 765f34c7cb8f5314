/**
 * One operation that the function requested.
 *
 * Owns: its promise, and its state according to the journal.
 */
import {
  type ChildOutcome,
  type ErrorValue,
  HoldfastError,
  type JournalEntry,
  type MetadataChange,
  type OperationId,
  type OperationKind,
  type StepLimit,
  type RequestPlace,
  type RetryPolicy,
  type SendRequest,
  type TopicRequest,
  decodeValue,
  describeOperation,
  fromErrorValue,
  readProperty,
} from "@holdfast/protocol";
import { ChildRunError, TimeoutError } from "../errors.ts";
import type { StepContext } from "../step-context.ts";
import type { Shield } from "./step-scope.ts";
import { handled } from "./handled.ts";
import type { AsyncContext } from "./step-scope.ts";

export interface StepRequest {
  readonly fn: (step: StepContext) => unknown;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number | undefined;
  readonly once: boolean;
  /** Around each attempt the step has a place at this limit (STEP10). */
  readonly limit?: StepLimit | undefined;
  /** The async context of the place where the step was requested (STEP8). */
  readonly context: AsyncContext | undefined;
  /** The compensation of the step. It gets the decoded result (COMP1). */
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

/** The request to unwind the run: the function failed, or called `ctx.compensate` (COMP1). */
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
  readonly ask?: string;
  readonly topic?: TopicRequest;
  readonly send?: SendRequest;
}

export type Request =
  | { readonly type: "step"; readonly step: StepRequest }
  | { readonly type: "wait"; readonly wait: WaitRequest }
  | { readonly type: "child"; readonly child: ChildRequest }
  | { readonly type: "metadata"; readonly change: MetadataChange }
  | { readonly type: "unwind"; readonly unwind: UnwindRequest };

/** The result of a wait. A time-out differs from every payload (WAIT4). */
export type WaitOutcome = { readonly timedOut: false; readonly payload: unknown } | { readonly timedOut: true };

/** What the places of requests count from: an outcome, or a call of `ctx.parallel` that starts items later. */
export interface Origin {
  /** The `seq` of the outcome. */
  readonly after: number;
  /** The number of the operation of that outcome; 0: the origin is a call. */
  readonly nth: number;
  /** The requests of each kind and name. */
  readonly uses: Map<string, number>;
  /** The first `use`: those of the calls after one outcome differ. */
  readonly first: number;
  calls: number;
  /** The lineage of the operation of that outcome, in a resumed run. */
  line: string;
}

/** The code of an item of `ctx.parallel`, in a resumed run. */
export interface ItemChain {
  readonly item: { over?: true };
  /** The kinds and names of the operations that led from the call to this code, and that this code requested. */
  names: string;
  /** The chain of the code that called `ctx.parallel`. */
  readonly outer: ItemChain | undefined;
}

/** Where the function requested an operation. See `JournalEntry.after`. */
export interface Place {
  readonly after: number;
  readonly use: number;
  /** Whether `after` is the outcome of the operation before it. */
  readonly follows: boolean;
  /** The place of the operation before it. */
  before: Place | undefined;
  /** Whether the journal or a report has it. */
  reported: boolean;
  /** The item whose code requested it. */
  readonly chain?: ItemChain | undefined;
}

const ANYWHERE = { after: 0, use: 0, follows: false, before: undefined };

export class OpenOperation {
  readonly id: OperationId;
  readonly kind: OperationKind;
  /** The number of this operation among the function's operations, from 1. */
  readonly nth: number;
  readonly request: Request;
  /** Where the function requested it (RES3). */
  readonly place: Place;
  /**
   * Set in a resumed run: the operation of the parent whose outcome this one takes over; `""`, if a `once` step may be one
   * of the parent's.
   */
  heirOf: OperationId | undefined;
  /** The lineage, in a resumed run. */
  line = "";
  readonly promise: Promise<unknown>;
  settled = false;
  /** The number of failed attempts in the journal. */
  attempts = 0;
  /** The time of the next attempt, ms since the epoch. */
  retryAt: number | undefined;
  /** The journal contains the start of the operation: a wait, a child, a change, the body of a `once` step. */
  journaled = false;
  /** This execution reported the start of the body, for operations whose start is journaled. */
  announced = false;
  /** The call of `ctx.shielded` that requested the step (CAN9). */
  shield: Shield | undefined;
  /** The step must not start a body any longer, and fails with this error. */
  withdrawn: Error | undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;

  constructor(
    id: OperationId,
    kind: OperationKind,
    nth: number,
    request: Request,
    place: Place = { ...ANYWHERE, reported: false },
  ) {
    this.id = id;
    this.kind = kind;
    this.nth = nth;
    this.request = request;
    this.place = place;
    this.promise = handled(
      new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      }),
    );
  }

  /** Returns the fields of an event about this operation. The first one has the place that does not follow from others. */
  about(): RequestPlace & { readonly op: OperationId; readonly nth: number; readonly shielded?: true } {
    const { id: op, nth, place, shield } = this;
    const { after, use, follows, before } = place;
    const shielded = shield === undefined ? {} : { shielded: true as const };
    if (place.reported) return { op, nth, ...shielded };
    this.#placeIsKnown();
    const isKnown = before?.reported === true && (follows || before.after === after);
    return { op, nth, ...shielded, ...(isKnown ? {} : { after }), ...(use === 0 ? {} : { use }) };
  }

  #placeIsKnown(): void {
    this.place.reported = true;
    // The operations before it need not stay in memory.
    this.place.before = undefined;
  }

  /** Whether the operation continues while the run unwinds. */
  get survives(): boolean {
    return this.kind === "compensation" || this.shield?.open === true;
  }

  /** Records an entry that is not an outcome. */
  note(entry: JournalEntry): void {
    this.#placeIsKnown();
    if (entry.type === "step.retrying") {
      this.attempts = entry.attempt;
      this.retryAt = entry.retryAt;
    } else {
      this.journaled = true;
    }
  }

  /**
   * Settles with a journaled outcome. Returns the error of the outcome, if any. An outcome that does not decode rejects.
   * @throws HoldfastError `NEWER_FORMAT` if newer code encoded the outcome.
   */
  settle(entry: JournalEntry): Error | undefined {
    this.settled = true;
    this.#placeIsKnown();
    try {
      return this.#settle(entry);
    } catch (error) {
      if (readProperty(Object(error), "code") === "NEWER_FORMAT") throw error;
      const unreadable = new HoldfastError(
        "UNSERIALIZABLE",
        `The stored outcome of ${describeOperation(this.id)} cannot be decoded: ${String(error)}. Resume the run with a result for it.`,
      );
      this.#reject(unreadable);
      return unreadable;
    }
  }

  #settle(entry: JournalEntry): Error | undefined {
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
      case "wait.released":
        this.#reject(entry.value === undefined ? releasedError(this.id) : decodeValue(entry.value));
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

  /** Marks the operation as settled. Its promise stays pending. */
  leave(): void {
    this.settled = true;
  }

  /** Rejects without a journal entry: the run was cancelled or is unwinding. */
  reject(error: Error): void {
    this.settled = true;
    this.#reject(error);
  }
}

/** Returns the error that the parent catches: the child's error with the child's run id and status (CHILD2). */
function childError(outcome: ChildOutcome): Error | undefined {
  if ("output" in outcome) return undefined;
  const { error, runId, status } = outcome;
  return new ChildRunError(`The child run ${runId} ended ${status}: ${error.message}`, {
    cause: fromErrorValue(error),
    data: { runId, status, error: { name: error.name, message: error.message, code: error.code } },
  });
}

/** Returns the error of an operation that lost a race (WAIT11). */
export function releasedError(id: OperationId): HoldfastError {
  return new HoldfastError(
    "RELEASED",
    `${describeOperation(id)} was let go, because another member of its race ended first. Request an operation for each race.`,
  );
}

/** Returns the error of a wait that timed out with `onTimeout: "throw"`. */
export function waitTimeoutError(id: OperationId): TimeoutError {
  return new TimeoutError(`Nothing arrived for ${describeOperation(id)} before its timeout.`);
}
