/**
 * Sends reports to the orchestrator, one after another (E2).
 *
 * Owns: the events that are not acknowledged. Events that are added while a report is in flight share the next report.
 */
import {
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionUpdate,
  type ReportAnswer,
  endsRun,
} from "@holdfast/protocol";

/** Events that an execution may repeat and that add no entry: alone they are no progress. */
const REPEATABLE: ReadonlySet<ExecutionEvent["type"]> = new Set([
  "race.opened",
  "step.wants",
  "cleanup.started",
  "cleanup.timed_out",
]);

export interface ReporterListener {
  /** The number of operations requested so far, for the report's field of this name. */
  readonly asked: number;
  /** `ends`: the end of the run is durable. */
  accepted(update: ExecutionUpdate, ends: boolean): void;
  /** The execution is superseded or the run has ended: later events have no effect (E4). */
  rejected(): void;
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

  /** True when all events are durable, or share the only report of the execution with what follows. */
  get idle(): boolean {
    return !this.#inFlight && (this.#events.length === 0 || this.#waitsForMore);
  }

  /** A port that takes one report gets none that the next execution would only repeat. */
  get #waitsForMore(): boolean {
    return this.#port.oneReport === true && this.#events.every(({ type }) => REPEATABLE.has(type));
  }

  /** True while a report has no answer. */
  get inFlight(): boolean {
    return this.#inFlight;
  }

  /** Resolves when all events are durable. Returns `undefined` if they are durable already. */
  drained(): Promise<void> | undefined {
    if (this.idle) return undefined;
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  add(event: ExecutionEvent): void {
    this.#events.push(event);
  }

  /** Adds an event and sends all events. */
  send(event: ExecutionEvent): void {
    this.add(event);
    this.flush();
  }

  /** Sends all added events, unless a report is in flight: then the next report contains them. */
  flush(): void {
    while (!this.idle && !this.#inFlight && this.#port.defersReports?.() !== true) {
      const events = this.#events;
      this.#events = [];
      const remote = this.#port.remote === true ? { remote: true as const } : {};
      const answer = this.#port.report({ epoch: this.#epoch, asked: this.#listener.asked, events, ...remote });
      if ("accepted" in answer) this.#take(answer, events);
      else this.#await(answer, events);
    }
  }

  #await(answer: PromiseLike<ReportAnswer>, events: readonly ExecutionEvent[]): void {
    this.#inFlight = true;
    answer.then(
      (settled) => {
        this.#inFlight = false;
        this.#take(settled, events);
        this.flush();
        if (this.idle) for (const resolve of this.#drained.splice(0)) resolve();
      },
      // The pipe broke: the dispatcher reports this to the orchestrator, which starts another execution.
      () => this.#listener.rejected(),
    );
  }

  #take(answer: ReportAnswer, events: readonly ExecutionEvent[]): void {
    if (answer.accepted) this.#listener.accepted(answer, endsRun(events.at(-1)));
    else {
      this.#events = [];
      this.#listener.rejected();
    }
  }
}
