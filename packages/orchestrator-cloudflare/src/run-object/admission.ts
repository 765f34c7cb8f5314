/**
 * The number of runs that execute at a time in this isolate.
 *
 * Owns: the count, and the queue of runs whose alarm found no place (DUR13). Nothing of it is durable: a run in the queue has
 * an alarm of its own, and a process that starts counts from zero.
 *
 * Invariants
 * - AD1 An alarm begins an execution only if there is a place for it and for each waiting run that was due earlier.
 * - AD2 A run that gives no sign has no place: its process may have ended without a word. An executing run gives one every
 *   `LEASE_MS`, a waiting run when its delay is over.
 * - AD3 A run has one place in the queue, also if its object left memory since it asked: workerd removes an idle object
 *   after some seconds, and the run asks again a minute or more later.
 * - AD4 The cost of a question grows with the logarithm of the number of waiting runs: a hundred thousand may wait.
 */

/** The longest time between the alarms of two runs of the queue, ms. */
const TURN_MS_MAX = 250;
/** How many runs ask in the time in which one execution begins: the executions can then become more frequent. */
const ASKS_PER_BEGIN = 4;
/** The shortest time in which as many runs ask as there are places, ms. */
const ROUND_MS_MIN = 500;
const DELAY_MS_MAX = 60_000;
/** If more runs wait than can ask in `DELAY_MS_MAX` at this rate, they ask less often: a question loads a run and commits. */
const ASKS_PER_S_MAX = 100;
/** Longer than the interval of the watchdog of an executing run. */
const LEASE_MS = 90_000;
/** How long after the end of its delay a waiting run counts as silent, ms. */
const LATE_MS = 30_000;
/** The shortest time between two searches for silent runs, ms. */
const SWEEP_MS = 5_000;

/** The name of a run's object. */
type Holder = string;

interface Waiting {
  readonly dueAt: number;
  /** Runs that were due at the same time have the order of their first alarms. */
  readonly order: number;
  readonly signAt: number;
  readonly silentAt: number;
}

export class Admission {
  /** The runs that execute, with the time of their last sign, ms since the epoch. */
  readonly #executing = new Map<Holder, number>();
  /** The runs that wait for a place. */
  readonly #waiting = new Map<Holder, Waiting>();
  /** The waiting runs, the first one first. */
  #queue: Waiting[] = [];
  /** When the newest executions began because of alarms, the oldest first: as many as there are places. */
  readonly #begunAt: number[] = [];
  #joined = 0;
  #sweptAt = -Infinity;

  /** Records whether a run executes. Called at each of its commits. */
  note(holder: Holder, executes: boolean, now: number): void {
    if (executes) this.#executing.set(holder, now);
    else this.#executing.delete(holder);
    if (executes) this.leave(holder);
  }

  /** Removes a run from the queue: its alarm needs no place. */
  leave(holder: Holder): void {
    const waiting = this.#waiting.get(holder);
    if (waiting === undefined) return;
    this.#waiting.delete(holder);
    this.#queue.splice(this.#countBefore(waiting), 1);
  }

  /** The delay after which a run asks again, ms; `undefined`: it has a place. `dueAt`: since when its alarm is due. */
  delayOf(holder: Holder, dueAt: number, max: number, now: number): number | undefined {
    this.#dropSilent(now);
    const known = this.#waiting.get(holder);
    const mine = { dueAt: Math.min(known?.dueAt ?? dueAt, dueAt), order: known?.order ?? (this.#joined += 1) };
    this.leave(holder);
    const free = max - this.#executing.size;
    const before = this.#countBefore(mine);
    if (before < free) {
      this.#executing.set(holder, now);
      this.#begunAt.push(now);
      if (this.#begunAt.length > max) this.#begunAt.shift();
      return undefined;
    }
    const place = before - Math.max(free, 0) + 1;
    const delayMax = Math.max(DELAY_MS_MAX, Math.ceil((this.#queue.length / ASKS_PER_S_MAX) * 1_000));
    const delay = Math.min(Math.ceil(this.#turnMs(max, now) * place), delayMax);
    const waiting: Waiting = { ...mine, signAt: now, silentAt: now + delay + LATE_MS };
    this.#waiting.set(holder, waiting);
    this.#queue.splice(before, 0, waiting);
    return delay;
  }

  /** The number of waiting runs that were due earlier. */
  #countBefore(one: Due): number {
    let [low, high] = [0, this.#queue.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#queue[middle] ?? one, one)) low = middle + 1;
      else high = middle;
    }
    return low;
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
    // The clock may be set back.
    if (now >= this.#sweptAt && now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    for (const [holder, signAt] of this.#executing) {
      if (now - signAt > LEASE_MS || signAt > now) this.#executing.delete(holder);
    }
    const waitingBefore = this.#waiting.size;
    for (const [holder, { signAt, silentAt }] of this.#waiting) {
      if (now > silentAt || signAt > now) this.#waiting.delete(holder);
    }
    if (this.#waiting.size !== waitingBefore) {
      this.#queue = [...this.#waiting.values()].toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
    }
  }
}

type Due = Pick<Waiting, "dueAt" | "order">;

function isBefore(one: Due, other: Due): boolean {
  return one.dueAt === other.dueAt ? one.order < other.order : one.dueAt < other.dueAt;
}

/** The places of this isolate. */
export const admission: Admission = new Admission();
