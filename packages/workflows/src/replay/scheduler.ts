/**
 * The replay scheduler: one loop per execution; each round takes one action.
 *
 * Owns: the order of the checks in a round, and the wait for the function between two rounds.
 *
 * Invariants
 * - X1 Outcomes are delivered to the function one by one, in journal order, both live and on replay (REP2).
 * - X2 An outcome is delivered only to an idle function: idle for a whole turn if several operations are open.
 * - X3 No body starts before the whole journal has been delivered and all reports are durable (DUR2, REP5).
 * - X5 The number of awaits between two rounds decides races in the author's code, so stored runs depend on it. Only a
 *   new replay flag may change it.
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

  /** `failed` is called with a failure of the engine, after the execution has stopped. */
  constructor(host: SchedulerHost, failed: (error: unknown) => void) {
    this.#host = host;
    this.#delivery = new Delivery(host);
    this.#failed = failed;
  }

  /** Requests another round, unless the loop is running. */
  schedule(): void {
    if (this.#looping || this.#host.over) return;
    this.#looping = true;
    void this.#loop();
  }

  /** Cancels the wait for the function. */
  stop(): void {
    this.#delivery.stop();
  }

  async #loop(): Promise<void> {
    const host = this.#host;
    // The caller must return first: the loop never runs inside user code.
    await Promise.resolve();
    try {
      for (;;) {
        const next: Next = host.over ? "rest" : this.#next();
        if (next === "rest") break;
        if (next === "short") await host.quiescence.short();
        else if (next === "at once") await this.#delivery.awaitAtOnce();
        else if (next === "turn") await host.quiescence.turn();
      }
    } catch (error) {
      // The engine failed, or it cannot read the journal: the orchestrator dispatches the run again later (DUR8).
      host.stop(new CancelledError("The execution failed."));
      this.#failed(error);
    }
    this.#looping = false;
  }

  #next(): Next {
    const host = this.#host;
    const { feed, quiescence, end } = host;
    if (host.phase === "paused") {
      host.reporter.flush();
      return "rest";
    }
    const { level } = quiescence;
    const entry = feed.peek();
    // The function was not called, so it requests no journaled operation.
    if (end?.type === "failed" && isInputRefusal(end.error)) return reportEnd(host, end);
    if (feed.waits) return "rest";
    if (entry !== undefined) return this.#delivery.next(entry, level);
    if (level === "moving") return "short";
    if (end !== undefined && !host.unwinding.inProgress) return conclude(host, end);
    announceFresh(host);
    // The answer to a report may have contained entries: deliver them first (X3).
    if (host.over || feed.peek() !== undefined) return "again";
    return startBodies(host) ?? park(host, level);
  }
}
