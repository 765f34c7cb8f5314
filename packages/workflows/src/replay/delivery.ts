/**
 * Delivers the entries of the journal to the function.
 *
 * Owns: two decisions: whether the function is ready for the next entry (X1, X2), and whether the code has diverged,
 * because it does not request a journaled operation (REP5).
 */
import type { JournalEntry } from "@holdfast/protocol";
import { isOutcome } from "@holdfast/protocol";
import { CancelledError } from "../errors.ts";
import { divergence } from "./divergence.ts";
import type { OpenOperation } from "./operation.ts";
import type { Next, SchedulerHost } from "./scheduler-host.ts";
import type { SettledLevel } from "./quiescence.ts";

/** How long a replay waits for a function that awaits something that is not an operation, ms. */
const FOREIGN_AWAIT_MS_MAX = 10_000;

export class Delivery {
  readonly #host: SchedulerHost;
  /** True when the time for bodies that end immediately has passed since the last outcome. */
  #passedAtOnce = false;
  #cancelForeignWait: (() => void) | undefined;

  constructor(host: SchedulerHost) {
    this.#host = host;
  }

  /** Delivers the oldest entry if the function is ready for it (X1, X2). */
  next(entry: JournalEntry, level: SettledLevel): Next {
    const { operations } = this.#host;
    const operation = operations.get(entry.op);
    const fromOutside = entry.type === "run.unwinding" && entry.nth === 0;
    if ((operation === undefined && !fromOutside) || operations.count < entry.asked) {
      return this.#awaitFunction(entry, operation, level);
    }
    if (operation !== undefined && !isOutcome(entry)) {
      operations.note(operation, entry);
      this.#take();
      return "again";
    }
    // Time passed before another attempt, so the function may have done more work by itself.
    const late = fromOutside || entry.quiet === true || (operation?.attempts ?? 0) > 0;
    const plain = !late && operations.isPlainSequence(entry.nth);
    if (!plain && level !== "turn") return "turn";
    if (level === "moving") return "short";
    // Live, the outcome of a body that ended immediately arrived after this many microtasks: replay waits as long (X2).
    if (plain && !this.#passedAtOnce) return "at once";
    this.#deliver(entry, operation);
    return "again";
  }

  /** Waits for bodies that end immediately. The others are late: a whole turn passes before their outcomes. */
  async awaitAtOnce(): Promise<void> {
    await this.#host.quiescence.atOnce();
    this.#host.bodies.markLate();
    this.#passedAtOnce = true;
  }

  /** Cancels the wait for the function. */
  stop(): void {
    this.#cancelForeignWait?.();
  }

  #deliver(entry: JournalEntry, operation: OpenOperation | undefined): void {
    const host = this.#host;
    this.#passedAtOnce = false;
    this.#take();
    host.functionTime = Math.max(host.functionTime, entry.at);
    host.quiescence.moved();
    host.unpark();
    if (entry.type === "run.unwinding") host.unwinding.unwind(entry);
    else if (operation !== undefined) {
      host.operations.settle(operation, entry);
      host.races.settled(operation);
    }
  }

  #take(): void {
    this.#host.feed.take();
    this.#cancelForeignWait?.();
    this.#cancelForeignWait = undefined;
  }

  /** Waits for the function to request the entry's operation. Diverges if it can no longer do so. */
  #awaitFunction(entry: JournalEntry, operation: OpenOperation | undefined, level: SettledLevel): Next {
    const host = this.#host;
    if (level === "moving") return "short";
    // Do not block the loop during this turn: new requests are handled as early as live.
    if (level === "short") {
      void host.quiescence.turn().then(() => host.schedule());
      return "rest";
    }
    const overdue = operation === undefined && host.operations.count >= entry.asked;
    if (overdue || (host.end !== undefined && !host.unwinding.inProgress)) return this.#diverge(entry);
    this.#cancelForeignWait ??= host.platform.setTimer(FOREIGN_AWAIT_MS_MAX, () => {
      // Nothing is delivered during a pause: the function may have requested it.
      if (host.phase === "paused") this.#cancelForeignWait = undefined;
      else this.#diverge(entry);
    });
    return "rest";
  }

  #diverge(entry: JournalEntry): Next {
    const host = this.#host;
    const error = divergence(entry, host.operations.ids(), host.end !== undefined);
    host.reporter.send({ type: "run.diverged", error });
    host.stop(new CancelledError("The run is paused: its code and its journal disagree."));
    return "rest";
  }
}
