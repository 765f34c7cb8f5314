/**
 * Hands the entries of the journal to the function.
 *
 * Owns: when the function is ready for the next entry (X1, X2), and giving up on a function that does not ask for what
 * the journal holds (REP5).
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
  /** The time in which a body ends at once has passed since the last outcome. */
  #passedAtOnce = false;
  #cancelForeignWait: (() => void) | undefined;

  constructor(host: SchedulerHost) {
    this.#host = host;
  }

  /** Takes the oldest entry if the function is ready for it (X1, X2). */
  next(entry: JournalEntry, level: SettledLevel): Next {
    const { operations } = this.#host;
    const operation = operations.get(entry.op);
    const fromOutside = entry.type === "run.unwinding" && entry.nth === 0;
    if ((operation === undefined && !fromOutside) || operations.asked < entry.asked) {
      return this.#awaitFunction(entry, operation, level);
    }
    if (operation !== undefined && !isOutcome(entry)) {
      operations.note(operation, entry);
      this.#take();
      return "again";
    }
    // Before another attempt time has passed, in which the function may have done whatever it liked.
    const late = fromOutside || entry.quiet === true || (operation?.attempts ?? 0) > 0;
    const plain = !late && operations.isPlainSequence(entry.nth);
    if (!plain && level !== "turn") return "turn";
    if (level === "moving") return "short";
    // The outcome of a body that ended at once comes as long after the question as it did live (X2).
    if (plain && !this.#passedAtOnce) return "at once";
    this.#deliver(entry, operation);
    return "again";
  }

  /** Lets bodies end that do so at once; the others are late, and the function gets a whole turn before their outcome. */
  async awaitAtOnce(): Promise<void> {
    await this.#host.settling.atOnce();
    this.#host.bodies.markLate();
    this.#passedAtOnce = true;
  }

  /** Gives up waiting for the function. */
  stop(): void {
    this.#cancelForeignWait?.();
  }

  #deliver(entry: JournalEntry, operation: OpenOperation | undefined): void {
    const host = this.#host;
    this.#passedAtOnce = false;
    this.#take();
    host.functionTime = Math.max(host.functionTime, entry.at);
    host.settling.moved();
    host.unpark();
    if (entry.type === "run.unwinding") host.unwinding.unwind(entry);
    else if (operation !== undefined) host.operations.settle(operation, entry);
  }

  #take(): void {
    this.#host.feed.take();
    this.#cancelForeignWait?.();
    this.#cancelForeignWait = undefined;
  }

  /** The function has not asked for what comes next. It gets time; if it surely will not ask, the code has changed. */
  #awaitFunction(entry: JournalEntry, operation: OpenOperation | undefined, level: SettledLevel): Next {
    const host = this.#host;
    if (level === "moving") return "short";
    // What the function asks for during that turn is looked at as soon as live: nothing here holds it up.
    if (level === "short") {
      void host.settling.turn().then(() => host.schedule());
      return "rest";
    }
    const overdue = operation === undefined && host.operations.asked >= entry.asked;
    if (overdue || (host.end !== undefined && !host.unwinding.inProgress)) return this.#diverge(entry);
    this.#cancelForeignWait ??= host.platform.setTimer(FOREIGN_AWAIT_MS_MAX, () => this.#diverge(entry));
    return "rest";
  }

  #diverge(entry: JournalEntry): Next {
    const host = this.#host;
    const error = divergence(entry, host.operations.askedIds(), host.end !== undefined);
    host.reporter.say({ type: "run.diverged", error });
    host.stop(new CancelledError("The run is paused: its code and its journal disagree."));
    return "rest";
  }
}
