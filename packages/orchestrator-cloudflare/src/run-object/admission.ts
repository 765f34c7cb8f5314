/**
 * The number of runs that execute at a time in this isolate.
 *
 * Owns: the count, and the queue of runs whose alarm found no place (DUR13). Nothing of it is durable: a run in the queue has
 * an alarm of its own, and a process that starts counts from zero.
 *
 * Invariants
 * - AD1 An alarm begins an execution only if there is a place for it and for each waiting run that was due earlier.
 * - AD2 A run that gives no sign for `LEASE_MS` has no place: its process may have ended without a word.
 * - AD3 A run has one place in the queue, also if its object left memory since it asked: workerd removes an idle object
 *   after some seconds, and the run asks again up to a minute later.
 */

/** The longest time between the alarms of two runs of the queue, ms. */
const TURN_MS_MAX = 250;
/** How many runs ask in the time in which one execution begins: the executions can then become more frequent. */
const ASKS_PER_BEGIN = 4;
/** The shortest time in which as many runs ask as there are places, ms. */
const ROUND_MS_MIN = 500;
const DELAY_MS_MAX = 60_000;
/** Longer than the interval of the watchdog of an executing run, and than `DELAY_MS_MAX`. */
const LEASE_MS = 90_000;

/** The name of a run's object. */
type Holder = string;

interface Waiting {
  readonly dueAt: number;
  /** Runs that were due at the same time have the order of their first alarms. */
  readonly order: number;
  readonly signAt: number;
}

export class Admission {
  /** The runs that execute, with the time of their last sign, ms since the epoch. */
  readonly #executing = new Map<Holder, number>();
  /** The runs that wait for a place. */
  readonly #waiting = new Map<Holder, Waiting>();
  /** When the newest executions began because of alarms, the oldest first: as many as there are places. */
  readonly #begunAt: number[] = [];
  #joined = 0;

  /** Records whether a run executes. Called at each of its commits. */
  note(holder: Holder, executes: boolean, now: number): void {
    if (executes) this.#executing.set(holder, now);
    else this.#executing.delete(holder);
    if (executes) this.#waiting.delete(holder);
  }

  /** Removes a run from the queue: its alarm needs no place. */
  leave(holder: Holder): void {
    this.#waiting.delete(holder);
  }

  /** The delay after which a run asks again, ms; `undefined`: it has a place. `dueAt`: since when its alarm is due. */
  delayOf(holder: Holder, dueAt: number, max: number, now: number): number | undefined {
    this.#dropSilent(now);
    const known = this.#waiting.get(holder);
    const mine: Waiting = {
      dueAt: Math.min(known?.dueAt ?? dueAt, dueAt),
      order: known?.order ?? (this.#joined += 1),
      signAt: now,
    };
    this.#waiting.delete(holder);
    const free = max - this.#executing.size;
    let before = 0;
    for (const waiting of this.#waiting.values()) if (isBefore(waiting, mine)) before += 1;
    if (before < free) {
      this.#executing.set(holder, now);
      this.#begunAt.push(now);
      if (this.#begunAt.length > max) this.#begunAt.shift();
      return undefined;
    }
    this.#waiting.set(holder, mine);
    const place = before - Math.max(free, 0) + 1;
    return Math.min(Math.ceil(this.#turnMs(max, now) * place), DELAY_MS_MAX);
  }

  /**
   * The time between the alarms of two runs of the queue, ms, from the rate at which executions began lately. Each question
   * is a commit, so they are rare while executions are long. While executions are short, most runs ask before workerd
   * removes their objects, which takes 10 s: to load a removed object costs more than the question.
   */
  #turnMs(max: number, now: number): number {
    const [first = now] = this.#begunAt;
    return Math.min(Math.max((now - first) / ASKS_PER_BEGIN, ROUND_MS_MIN) / max, TURN_MS_MAX);
  }

  #dropSilent(now: number): void {
    for (const [holder, signAt] of this.#executing) {
      if (now - signAt > LEASE_MS || signAt > now) this.#executing.delete(holder);
    }
    for (const [holder, { signAt }] of this.#waiting) {
      if (now - signAt > LEASE_MS || signAt > now) this.#waiting.delete(holder);
    }
  }
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.dueAt === other.dueAt ? one.order < other.order : one.dueAt < other.dueAt;
}

/** The places of this isolate. */
export const admission: Admission = new Admission();
