/**
 * One attempt of a step's body.
 *
 * Owns: its signal, its time-out (STEP4), and the translation of its result or error into an event (STEP3, STEP5).
 */
import {
  ENCODED_UNDEFINED,
  type ErrorValue,
  HoldfastError,
  type OperationEvents,
  type OperationId,
  type StepInProgress,
  describeOperation,
  encodeValue,
  errorValue,
  parseOperationId,
  readProperty,
  toErrorValue,
} from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import { TimeoutError } from "../errors.ts";
import type { Log } from "../step-context.ts";
import { type RunScope, inContext, insideStep } from "./step-scope.ts";
import type { OpenOperation, StepRequest } from "./operation.ts";
import type { Platform } from "./platform.ts";
import { encodeProgress } from "./progress.ts";

/** Codes of errors that another attempt cannot avoid. */
const FINAL_CODES: ReadonlySet<unknown> = new Set(["FATAL", "NESTED_OPERATION", "UNSERIALIZABLE", "TOO_LARGE"]);

export interface BodyHost {
  readonly run: RunScope;
  readonly platform: Platform;
  readonly idempotencyKey: () => string;
  readonly traceparent: () => string;
  readonly log: Log;
  /** Called when the body has reported progress. */
  readonly progressed: () => void;
  readonly ended: (event: OperationEvents) => void;
  /** Called when the body has settled, even if its result is ignored. */
  readonly settled: () => void;
}

/** The argument of a body. Rarely used properties are created lazily. */
class BodyContext {
  readonly attempt: number;
  readonly log: Log;
  readonly #body: StepBody;
  readonly #host: BodyHost;

  constructor(body: StepBody, host: BodyHost) {
    this.attempt = body.attempt;
    this.log = host.log;
    this.#body = body;
    this.#host = host;
  }

  get progress(): (value: unknown) => void {
    return (value) => this.#body.reportProgress(value);
  }

  get signal(): AbortSignal {
    return this.#body.control.signal;
  }

  get idempotencyKey(): string {
    return this.#host.idempotencyKey();
  }

  get traceparent(): string {
    return this.#host.traceparent();
  }
}

export class StepBody {
  readonly attempt: number;
  readonly #startedAt: number;
  /** The newest progress, and the one that others see. */
  #progress: string | undefined;
  #shownProgress: string | undefined;
  readonly #operation: OpenOperation;
  readonly #step: StepRequest;
  readonly #host: BodyHost;
  /** Created at the first use of the signal: most bodies do not use it, and it is a quarter of the cost of a step. */
  #controller: AbortController | undefined;
  #cancelTimer: (() => void) | undefined;
  #over = false;
  #withdrawn: Error | undefined;

  constructor(operation: OpenOperation, step: StepRequest, host: BodyHost) {
    this.#operation = operation;
    this.#step = step;
    this.#host = host;
    this.#startedAt = host.platform.now();
    this.attempt = operation.attempts + 1;
  }

  get inProgress(): StepInProgress {
    const progress = this.#shownProgress;
    const body = { op: this.#operation.id, attempt: this.attempt, startedAt: this.#startedAt };
    return progress === undefined ? body : { ...body, progress };
  }

  get op(): OperationId {
    return this.#operation.id;
  }

  /** Whether the body continues while the run unwinds. */
  get survives(): boolean {
    return this.#operation.survives;
  }

  /** Calls the body. `ended` is called at most once, and only after this method has returned. */
  start(): void {
    const { run, platform, log, settled } = this.#host;
    const { timeoutMs, fn } = this.#step;
    const context = new BodyContext(this, this.#host);
    const { id, kind } = this.#operation;
    const mock = kind === "step" ? platform.replaceBody?.(kind, parseOperationId(id).name) : undefined;
    const body = (): Promise<unknown> => insideStep(run, id, () => settleLater(() => (mock ?? fn)(context as never)));
    // The attempt may be over before the platform calls its body.
    const call = (): Promise<unknown> => (this.#over ? Promise.resolve() : inContext(this.#step.context, body, log));
    let called: Promise<unknown>;
    try {
      // A Worker has 10,000 timers at most. Without a timer the attempt fails, and the other bodies continue.
      if (timeoutMs !== undefined) this.#cancelTimer = platform.setTimer(timeoutMs, () => this.#timeOut(timeoutMs));
      called = platform.callBody?.(call) ?? call();
    } catch (error) {
      called = Promise.reject(error);
    }
    called.then(
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

  /** Records the progress of the body. Never throws. */
  reportProgress(value: unknown): void {
    if (this.#over) return;
    try {
      this.#progress = encodeProgress(value, `The progress of ${describeOperation(this.#operation.id)}`);
      this.#host.progressed();
    } catch (error) {
      this.#host.log.warn(`${(error as Error).message} It was dropped.`);
    }
  }

  /** From now on others see the newest progress. */
  showProgress(): void {
    this.#shownProgress = this.#progress;
  }

  /** Aborts the body's signal. Its result still counts, unless the body was abandoned. */
  abort(reason: Error): void {
    // Listeners of the signal are code of the run.
    insideStep(this.#host.run, this.#operation.id, () => this.control.abort(reason));
  }

  /** Aborts the body's signal. The body gets a bounded time, and no attempt follows. */
  withdraw(reason: Error): void {
    this.#withdrawn = reason;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#host.platform.setTimer(LIMITS.siblingGraceMs, () => this.#fail(reason));
    this.abort(reason);
  }

  get control(): AbortController {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.#host.platform.guardSignal?.(this.#controller.signal);
    }
    return this.#controller;
  }

  /** Ignores the result of the body. */
  abandon(): void {
    this.#over = true;
    this.#cancelTimer?.();
  }

  #complete(value: unknown): void {
    if (this.#over) return;
    let encoded: string = ENCODED_UNDEFINED;
    try {
      encoded = encodeValue(value, `The result of ${describeOperation(this.#operation.id)}`);
    } catch (error) {
      // No code gets the result of a compensation, and the step is undone: it must not be listed as remaining (COMP3).
      if (this.#operation.kind !== "compensation") return this.#fail(error);
    }
    const compensable = this.#step.compensate === undefined ? {} : { compensable: true as const };
    this.#end({ type: "step.completed", ...this.#facts(), value: encoded, ...compensable });
  }

  #fail(thrown: unknown): void {
    if (this.#over) return;
    const object = typeof thrown === "object" && thrown !== null ? thrown : {};
    const [code, retryAfterMs] = [readProperty(object, "code"), readProperty(object, "retryAfterMs")];
    const final = FINAL_CODES.has(code) || this.#step.once;
    // An attempt after this one is not made: that, and not the attempt's error, ends the step (RES3).
    const withdrawn = final || this.attempt >= this.#step.retry.max ? undefined : this.#withdrawn;
    this.#end({
      type: "step.failed",
      ...this.#facts(),
      error: toErrorValue(withdrawn ?? thrown),
      retry: final || this.#withdrawn !== undefined ? null : this.#step.retry,
      ...(code === "RETRYABLE" && typeof retryAfterMs === "number" && Number.isFinite(retryAfterMs)
        ? { retryAfterMs }
        : {}),
    });
  }

  #timeOut(timeoutMs: number): void {
    if (this.#over) return;
    const what = `Attempt ${this.attempt} of ${describeOperation(this.#operation.id)}`;
    const error = new TimeoutError(`${what} took longer than its timeout of ${timeoutMs} ms.`);
    this.abort(error);
    this.#fail(error);
  }

  #end(event: OperationEvents): void {
    this.abandon();
    this.#host.ended(event);
  }

  #facts(): ReturnType<OpenOperation["about"]> & { attempt: number; startedAt: number; progress?: string } {
    const facts = { ...this.#operation.about(), attempt: this.attempt, startedAt: this.#startedAt };
    return this.#progress === undefined ? facts : { ...facts, progress: this.#progress };
  }
}

/**
 * Returns the event for a step that fails without a body: a `once` step whose start is journaled and whose outcome was
 * lost (DUR3), or a step that was withdrawn.
 */
export function failedEvent(operation: OpenOperation, now: number): OperationEvents {
  const { id, kind, journaled, withdrawn } = operation;
  const interrupted = withdrawn === undefined || (journaled && kind === "step");
  const why = "was started and its outcome was lost with its process";
  return notExecutedEvent(operation, now, interrupted ? interruptedError(id, why) : toErrorValue(withdrawn));
}

/** Returns the event for a `once` step that may be one that the resumed run has executed (RES3). */
export function refusedEvent(operation: OpenOperation, now: number): OperationEvents {
  const error = interruptedError(operation.id, "may be one that the resumed run executed");
  return notExecutedEvent(operation, now, error);
}

function notExecutedEvent(operation: OpenOperation, now: number, error: ErrorValue): OperationEvents {
  const attempt = operation.attempts + 1;
  return { type: "step.failed", ...operation.about(), attempt, startedAt: now, error, retry: null, quiet: true };
}

function interruptedError(id: string, why: string): ErrorValue {
  return errorValue(
    "STEP_INTERRUPTED",
    `${describeOperation(id)} ${why}. It has once: true, so it is not executed again. Check whether it took effect, then handle this error in a catch, or resume the run with seedResults.`,
  );
}

/** Returns the error of an operation that `ctx.shielded` does not allow (CAN9). */
export function shieldedError(what: string): HoldfastError {
  return new HoldfastError(
    "SHIELDED_OPERATION",
    `${what} was called inside ctx.shielded, which allows only steps. Call it outside.`,
  );
}

/** Returns the error of a ctx operation inside a step body (STEP7). */
export function nestedOperationError(what: string, inside: string): HoldfastError {
  const remedy = what.startsWith("ctx.metadata.")
    ? 'To show progress, call progress(value) of the body\'s argument: ctx.step("a", ({ progress }) => { progress(50); … }). Change metadata outside the step.'
    : 'Call it outside the step: const a = await ctx.step("a", …); const b = await ctx.step("b", () => use(a));';
  return new HoldfastError(
    "NESTED_OPERATION",
    `${what} was called inside ${describeOperation(inside)}. A step body cannot contain operations. ${remedy}`,
  );
}

async function settleLater(fn: () => unknown): Promise<unknown> {
  return fn();
}
