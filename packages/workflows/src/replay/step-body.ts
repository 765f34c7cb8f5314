/**
 * One attempt of a step's body.
 *
 * Owns: its signal, its time-out (STEP4), and turning whatever comes out of it into an event (STEP3, STEP5).
 */
import {
  HoldfastError,
  type OperationEvents,
  type OperationKind,
  type StepInProgress,
  describeOperation,
  encodeValue,
  errorValue,
  parseOperationId,
  readProperty,
  toErrorValue,
} from "@holdfast/protocol";
import { TimeoutError } from "../errors.ts";
import type { Log } from "../step-context.ts";
import { insideStep } from "./step-scope.ts";
import type { OpenOperation, StepRequest } from "./operation.ts";
import type { Platform } from "./platform.ts";

/** Errors after which another attempt would fail the same way. */
const FINAL_CODES: ReadonlySet<unknown> = new Set(["FATAL", "NESTED_OPERATION", "UNSERIALIZABLE", "TOO_LARGE"]);

export interface BodySurroundings {
  readonly platform: Platform;
  readonly idempotencyKey: string;
  readonly traceparent: () => string;
  readonly log: Log;
  readonly ended: (event: OperationEvents) => void;
  /** The body has come to rest, whether anybody still hears it or not. */
  readonly settled: () => void;
}

/** What a body gets. What few bodies look at is made when it is looked at. */
class BodyContext {
  readonly attempt: number;
  readonly idempotencyKey: string;
  readonly log: Log;
  readonly #control: () => AbortController;
  readonly #traceparent: () => string;

  constructor(
    attempt: number,
    idempotencyKey: string,
    log: Log,
    control: () => AbortController,
    traceparent: () => string,
  ) {
    this.attempt = attempt;
    this.idempotencyKey = idempotencyKey;
    this.log = log;
    this.#control = control;
    this.#traceparent = traceparent;
  }

  get signal(): AbortSignal {
    return this.#control().signal;
  }

  get traceparent(): string {
    return this.#traceparent();
  }
}

export class StepBody {
  readonly inProgress: StepInProgress;
  readonly #operation: OpenOperation;
  readonly #step: StepRequest;
  readonly #surroundings: BodySurroundings;
  /** Made when somebody asks for the signal: most bodies do not, and it would be a quarter of what a step costs. */
  #controller: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  #over = false;

  constructor(operation: OpenOperation, step: StepRequest, surroundings: BodySurroundings) {
    this.#operation = operation;
    this.#step = step;
    this.#surroundings = surroundings;
    const startedAt = surroundings.platform.now();
    this.inProgress = { op: operation.id, attempt: operation.attempts + 1, startedAt };
  }

  get kind(): OperationKind {
    return this.#operation.kind;
  }

  /** Calls the body. The end is told through `ended`, never before this returns, and once at most. */
  start(): void {
    const { platform, idempotencyKey, traceparent, log, settled } = this.#surroundings;
    const { timeoutMs, fn } = this.#step;
    if (timeoutMs !== undefined) this.#cancelTimer = platform.setTimer(timeoutMs, () => this.#timeOut(timeoutMs));
    const context = new BodyContext(this.inProgress.attempt, idempotencyKey, log, () => this.#control(), traceparent);
    const { id, kind } = this.#operation;
    const mock = kind === "step" ? platform.replaceBody?.(kind, parseOperationId(id).name) : undefined;
    insideStep(id, () => settleLater(() => (mock ?? fn)(context as never))).then(
      (value) => {
        this.#complete(value);
        settled();
      },
      (error) => {
        this.#fail(error);
        settled();
      },
    );
  }

  /** Aborts the body's signal; what it still returns counts unless the execution stopped. */
  abort(reason: Error): void {
    this.#control().abort(reason);
  }

  #control(): AbortController {
    return (this.#controller ??= new AbortController());
  }

  /** Stops listening: nothing that the body still does is told. */
  abandon(): void {
    this.#over = true;
    this.#cancelTimer?.();
  }

  #complete(value: unknown): void {
    if (this.#over) return;
    let encoded: string;
    try {
      encoded = encodeValue(value, `The result of ${describeOperation(this.#operation.id)}`);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const compensable = this.#step.compensate === undefined ? {} : { compensable: true as const };
    this.#end({ type: "step.completed", ...this.#facts(), value: encoded, ...compensable });
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    const object = typeof thrown === "object" && thrown !== null ? thrown : {};
    const [code, retryAfterMs] = [readProperty(object, "code"), readProperty(object, "retryAfterMs")];
    const final = FINAL_CODES.has(code) || this.#step.once;
    this.#end({
      type: "step.failed",
      ...this.#facts(),
      error: toErrorValue(thrown),
      retry: final ? null : this.#step.retry,
      ...(code === "RETRYABLE" && typeof retryAfterMs === "number" && Number.isFinite(retryAfterMs)
        ? { retryAfterMs }
        : {}),
    });
  }

  #timeOut(timeoutMs: number): void {
    if (this.#over) return;
    const what = `Attempt ${this.inProgress.attempt} of ${describeOperation(this.#operation.id)}`;
    const error = new TimeoutError(`${what} took longer than its timeout of ${timeoutMs} ms.`);
    this.#control().abort(error);
    this.#fail(error);
  }

  #end(event: OperationEvents): void {
    this.abandon();
    this.#surroundings.ended(event);
  }

  #facts(): { op: string; nth: number; attempt: number; startedAt: number } {
    const { op, attempt, startedAt } = this.inProgress;
    return { op, nth: this.#operation.nth, attempt, startedAt };
  }
}

/** The event for a `once` step whose start is journaled and whose outcome was lost (DUR3). */
export function interruptedEvent(operation: OpenOperation, now: number): OperationEvents {
  const what = describeOperation(operation.id);
  return {
    type: "step.failed",
    op: operation.id,
    nth: operation.nth,
    attempt: 1,
    startedAt: now,
    error: errorValue(
      "STEP_INTERRUPTED",
      `${what} was started and its outcome was lost, with the process that executed it. It has once: true, so it is not executed again. Find out whether it took effect, then go on in a catch or resume the run with seedResults.`,
    ),
    retry: null,
    quiet: true,
  };
}

/** What is thrown when a ctx operation is used inside a step body (STEP7). */
export function nestedOperationError(what: string, inside: string): HoldfastError {
  return new HoldfastError(
    "NESTED_OPERATION",
    `${what} was called inside ${describeOperation(inside)}. A step body is one unit of work and cannot hold operations of its own. Call it beside the step instead: const a = await ctx.step("a", …); const b = await ctx.step("b", () => use(a));`,
  );
}

async function settleLater(fn: () => unknown): Promise<unknown> {
  return fn();
}
