/**
 * Speaks to the orchestrator: one report at a time, in order (E2).
 *
 * Owns: what is not yet acknowledged. Events that arise while a report is in flight go together in the next one.
 */
import type { ExecutionEvent, ExecutionPort, ExecutionUpdate, ReportAnswer } from "@holdfast/protocol";

export interface ReporterListener {
  /** Operations asked for so far. */
  readonly asked: number;
  accepted(news: ExecutionUpdate): void;
  /** The execution is superseded or the run has ended: nothing that it does counts any more (E4). */
  refused(): void;
}

export class Reporter {
  readonly #port: ExecutionPort;
  readonly #epoch: number;
  readonly #listener: ReporterListener;
  #events: ExecutionEvent[] = [];
  #inFlight = false;
  #drained: (() => void)[] = [];

  constructor(port: ExecutionPort, epoch: number, listener: ReporterListener) {
    this.#port = port;
    this.#epoch = epoch;
    this.#listener = listener;
  }

  /** True when all that was said is durable. */
  get idle(): boolean {
    return !this.#inFlight && this.#events.length === 0;
  }

  /** True while an answer is awaited. */
  get inFlight(): boolean {
    return this.#inFlight;
  }

  /** Resolves when all that was said is durable; `undefined` if it is already. */
  drained(): Promise<void> | undefined {
    if (this.idle) return undefined;
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  add(event: ExecutionEvent): void {
    this.#events.push(event);
  }

  /** Adds and sends. */
  say(event: ExecutionEvent): void {
    this.add(event);
    this.flush();
  }

  /** Sends what there is to say, unless a report is in flight: then it goes with the next. */
  flush(): void {
    while (this.#events.length > 0 && !this.#inFlight) {
      const events = this.#events;
      this.#events = [];
      const remote = this.#port.remote === true ? { remote: true as const } : {};
      const answer = this.#port.report({ epoch: this.#epoch, asked: this.#listener.asked, events, ...remote });
      if ("accepted" in answer) this.#take(answer);
      else this.#await(answer);
    }
  }

  #await(answer: PromiseLike<ReportAnswer>): void {
    this.#inFlight = true;
    answer.then(
      (settled) => {
        this.#inFlight = false;
        this.#take(settled);
        this.flush();
        if (this.idle) for (const resolve of this.#drained.splice(0)) resolve();
      },
      // The pipe broke: the orchestrator hears of it from the dispatcher and begins another execution.
      () => this.#listener.refused(),
    );
  }

  #take(answer: ReportAnswer): void {
    if (answer.accepted) this.#listener.accepted(answer);
    else {
      this.#events = [];
      this.#listener.refused();
    }
  }
}
