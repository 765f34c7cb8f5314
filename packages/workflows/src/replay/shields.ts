/**
 * The open calls of `ctx.shielded` (CAN9): their steps execute although the run unwinds.
 *
 * Owns: the time-outs. A time-out counts from the newest outcome that the function had received, so an execution that
 * replays the call continues the same time. An outage uses up at most half of it. Past it, the call's open and later steps
 * are withdrawn.
 */
import type { ExecutionEvent } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import { TimeoutError } from "../errors.ts";
import type { Bodies } from "./bodies.ts";
import type { OpenOperation } from "./operation.ts";
import type { Operations } from "./operations.ts";
import type { Platform } from "./platform.ts";
import type { Shield } from "./step-scope.ts";

export interface ShieldsHost {
  readonly operations: Operations;
  readonly bodies: Bodies;
  readonly platform: Platform;
  readonly now: number;
  readonly functionTime: number;
  /** Whether the run unwinds. */
  readonly unwinding: { readonly inProgress: boolean };
  /** Requests another round of the scheduler. */
  wake(): void;
}

interface Call {
  readonly steps: OpenOperation[];
  /** The error of its steps past the time-out. */
  expired: Error | undefined;
}

export class Shields {
  readonly #calls = new WeakMap<Shield, Call>();
  readonly #host: ShieldsHost;
  #open = 0;
  #waiting: (() => void)[] = [];
  readonly #cancels = new Set<() => void>();
  #events: ExecutionEvent[] = [];

  constructor(host: ShieldsHost) {
    this.#host = host;
  }

  /** Runs `fn` as the code of one call. */
  async run<T>(timeoutMs: number, fn: (shield: Shield) => T): Promise<Awaited<T>> {
    const shield: Shield = { open: true };
    const call: Call = { steps: [], expired: undefined };
    this.#calls.set(shield, call);
    const { now, functionTime } = this.#host;
    const end = this.#begin(shield);
    let cancel = this.#setTimer(Math.max(timeoutMs / 2, timeoutMs + functionTime - now), () => {
      call.expired = new TimeoutError(`ctx.shielded took longer than its timeout of ${timeoutMs} ms.`);
      this.#events.push({ type: "cleanup.timed_out" });
      for (const step of call.steps) this.#withdraw(step, call.expired);
      cancel = this.#setTimer(LIMITS.siblingGraceMs, end);
      this.#host.wake();
    });
    try {
      return await fn(shield);
    } finally {
      cancel();
      end();
    }
  }

  /** Adds an operation if it belongs to a call. */
  add(step: OpenOperation): void {
    const call = step.shield && this.#calls.get(step.shield);
    if (call === undefined) return;
    call.steps.push(step);
    if (call.expired !== undefined) this.#host.operations.withdraw(step, call.expired);
  }

  #withdraw(step: OpenOperation, error: Error): void {
    const { operations, bodies } = this.#host;
    if (!step.settled && !bodies.withdraw(step.id, error)) operations.withdraw(step, error);
  }

  #begin(shield: Shield): () => void {
    this.#open += 1;
    if (this.#host.unwinding.inProgress) this.announce();
    return () => {
      if (!shield.open) return;
      shield.open = false;
      this.#open -= 1;
      if (this.#open === 0) for (const ended of this.#waiting.splice(0)) ended();
    };
  }

  #setTimer(ms: number, fn: () => void): () => void {
    const stop = this.#host.platform.setTimer(ms, fn);
    const cancel = (): void => {
      this.#cancels.delete(cancel);
      stop();
    };
    this.#cancels.add(cancel);
    return cancel;
  }

  /** Reports, while the run unwinds, that clean-up code executes. */
  announce(): void {
    if (this.#open > 0) this.#events.push({ type: "cleanup.started" });
  }

  /** Calls `ended` when no call is open: at once if none is. */
  whenEnded(ended: () => void): void {
    if (this.#open === 0) ended();
    else this.#waiting.push(ended);
  }

  /** Returns the events of new calls and time-outs. */
  takeEvents(): ExecutionEvent[] {
    return this.#events.splice(0);
  }

  /** Cancels the time-outs: the execution has stopped. */
  stop(): void {
    for (const cancel of this.#cancels) cancel();
  }
}
