/**
 * The signs of life of an execution in another process (DUR11).
 *
 * Owns: when the execution last gave one, and how many pings it has not answered since. Kept in memory: a new process of
 * the orchestrator starts another execution anyway.
 */
import { HOST_LIMITS } from "@holdfast/protocol";

/** How long an execution has given no sign of life, ms, and how many pings it has not answered in that time. */
export interface Silence {
  readonly ms: number;
  readonly pings: number;
  /** The execution has answered a ping. */
  readonly answered?: boolean;
}

export class Liveness {
  #signAt: number;
  #pings = 0;
  #answered = false;

  constructor(now: number) {
    this.#signAt = now;
  }

  /** Records the answer to a ping, which is a sign of life. */
  answered(now: number): void {
    this.#answered = true;
    this.sign(now);
  }

  /** The execution has something to do from now on: its silence counts from here. */
  sign(now: number): void {
    this.#signAt = now;
    this.#pings = 0;
  }

  /** Records that a ping was sent. */
  pinged(): void {
    this.#pings += 1;
  }

  silence(now: number): Silence {
    // The clock may have been set back.
    this.#signAt = Math.min(this.#signAt, now);
    return { ms: now - this.#signAt, pings: this.#pings, answered: this.#answered };
  }
}

/** Whether the execution counts as lost. A jump of the clock alone loses none: it has to leave two pings unanswered. */
export function isSilent({ ms, pings }: Silence): boolean {
  return ms >= HOST_LIMITS.silentMsMax && pings >= 2;
}

/** Returns the time until the next ping, ms. The execution counts as lost `silentMsMax` after its last sign of life. */
export function untilNextPingMs({ ms }: Silence): number {
  return Math.max(HOST_LIMITS.watchdogMsMin, Math.min(HOST_LIMITS.pingMs, HOST_LIMITS.silentMsMax - ms));
}
