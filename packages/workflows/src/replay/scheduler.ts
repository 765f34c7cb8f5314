/**
 * The replay scheduler: one loop for each execution; each round does one thing.
 *
 * Owns: the order of what a round looks at, and how long the function gets between two rounds.
 *
 * Invariants
 * - X1 Outcomes are handed to the function one at a time, in journal order, live and on replay alike (REP2).
 * - X2 Before an outcome is handed over the function has settled: for a whole turn if several operations are open.
 * - X3 No body starts before the whole journal has been handed over, and all that was reported is durable (DUR2, REP5).
 * - X5 The number of awaits between two rounds decides who wins a race of the author's code, so stored runs depend on it.
 *   It changes behind a replay flag only.
 */
import { CancelledError } from "../errors.ts";
import { announceFresh, startBodies } from "./begin-operations.ts";
import { Delivery } from "./delivery.ts";
import { conclude, reportEnd } from "./conclusion.ts";
import { isInputRefusal } from "./input-refusal.ts";
import { park } from "./parking.ts";
import type { Next, SchedulerHost } from "./scheduler-host.ts";

export class Scheduler {
  readonly #host: SchedulerHost;
  readonly #delivery: Delivery;
  readonly #failed: (error: unknown) => void;
  #looping = false;

  /** `failed` gets a failure of the engine, after the execution has stopped. */
  constructor(host: SchedulerHost, failed: (error: unknown) => void) {
    this.#host = host;
    this.#delivery = new Delivery(host);
    this.#failed = failed;
  }

  /** Asks for another round, unless the loop runs already. */
  schedule(): void {
    if (this.#looping || this.#host.over) return;
    this.#looping = true;
    void this.#loop();
  }

  /** Gives up what it waits for. */
  stop(): void {
    this.#delivery.stop();
  }

  async #loop(): Promise<void> {
    const host = this.#host;
    // The caller finishes first: the loop never runs inside user code.
    await Promise.resolve();
    try {
      for (;;) {
        const next: Next = host.over ? "rest" : this.#next();
        if (next === "rest") break;
        if (next === "short") await host.settling.short();
        else if (next === "at once") await this.#delivery.awaitAtOnce();
        else if (next === "turn") await host.settling.turn();
      }
    } catch (error) {
      // A fault of the engine, or a journal that it cannot read: the run is dispatched again, later (DUR8).
      host.stop(new CancelledError("The execution failed."));
      this.#failed(error);
    }
    this.#looping = false;
  }

  #next(): Next {
    const host = this.#host;
    const { feed, settling, end } = host;
    if (host.phase === "paused") {
      host.reporter.flush();
      return "rest";
    }
    const { level } = settling;
    const entry = feed.peek();
    // The function was not even called, so it asks for nothing that the journal holds.
    if (end?.type === "failed" && isInputRefusal(end.error)) return reportEnd(host, end);
    if (entry !== undefined) return this.#delivery.next(entry, level);
    if (level === "moving") return "short";
    if (end !== undefined && !host.unwinding.inProgress) return conclude(host, end);
    announceFresh(host);
    // Accepting a report may have brought entries: they come first (X3).
    if (host.over || feed.peek() !== undefined) return "again";
    return startBodies(host) ?? park(host, level);
  }
}
