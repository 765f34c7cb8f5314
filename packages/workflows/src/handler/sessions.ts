/**
 * The executions that a step handler holds between turns.
 *
 * Owns: the limits: the number of sessions, the characters of their start messages, and the time without a request.
 * Beyond a limit idle sessions are dropped, the least recently used first, and no new one is admitted while the rest
 * executes. The orchestrator starts another execution from the journal for a session that was dropped.
 *
 * Invariants
 * - SS1 A run has at most one session: that of its newest execution (DUR6).
 */
import { type ExecutionStart, HOST_LIMITS } from "@holdfast/protocol";
import type { Platform } from "../replay/platform.ts";
import { runOf } from "./run-epochs.ts";
import type { Session } from "./session.ts";

export interface SessionLimits {
  /** Concurrent sessions. Default 1,000. */
  readonly sessionsMax?: number;
  /** Characters of all start messages together. Default 128 Mi. */
  readonly charsMax?: number;
  /** The maximum time between two requests of a session, ms; of one that executes at least 40 s. Default five minutes. */
  readonly idleMsMax?: number;
}

interface Held {
  readonly session: Session;
  readonly chars: number;
  readonly run: string;
}

/** The interval between two sweeps, ms. */
const SWEEP_MS = 1_000;

/** Whether a new session may start. */
export type Admission = "admitted" | "full";

export class Sessions {
  /** By id, the least recently used first. */
  readonly #sessions = new Map<string, Held>();
  /** The ids by run. */
  readonly #ofRuns = new Map<string, string>();
  readonly #limits: Required<SessionLimits>;
  readonly #platform: Platform;
  #chars = 0;
  #sweptAt = 0;

  constructor({ sessionsMax = 1_000, charsMax = 2 ** 27, idleMsMax = 300_000 }: SessionLimits, platform: Platform) {
    this.#platform = platform;
    this.#limits = { sessionsMax, charsMax, idleMsMax };
  }

  /** Returns a session, which counts as used now. */
  get(id: string): Session | undefined {
    const held = this.#sessions.get(id);
    if (held === undefined) return undefined;
    this.#sessions.delete(id);
    this.#sessions.set(id, held);
    return held.session;
  }

  /** Makes room for an execution. Drops the session of the run's previous execution. */
  admit(start: ExecutionStart, chars: number): Admission {
    const older = this.#ofRuns.get(runOf(start));
    if (older !== undefined) this.#drop(older);
    for (const [id, { session }] of this.#sessions) {
      if (this.#hasRoom(chars)) break;
      if (session.isIdle) this.#drop(id);
    }
    // One session is always admitted, whatever its size.
    return this.#hasRoom(chars) || this.#sessions.size === 0 ? "admitted" : "full";
  }

  #hasRoom(chars: number): boolean {
    return this.#sessions.size < this.#limits.sessionsMax && this.#chars + chars <= this.#limits.charsMax;
  }

  /** Adds the session of an execution that was admitted. */
  add(id: string, start: ExecutionStart, session: Session, chars: number): void {
    const run = runOf(start);
    this.#sessions.set(id, { session, chars, run });
    this.#ofRuns.set(run, id);
    this.#chars += chars;
  }

  /** Drops sessions that have ended or idled too long. Looks at them once in a while only: requests are frequent. */
  sweep(): void {
    const now = this.#platform.now();
    if (Math.abs(now - this.#sweptAt) < Math.min(this.#limits.idleMsMax / 10, SWEEP_MS)) return;
    this.#sweptAt = now;
    const { idleMsMax } = this.#limits;
    // The orchestrator replaces an execution that it has not reached for so long (DUR11).
    const busyMsMax = Math.max(idleMsMax, HOST_LIMITS.silentMsMax);
    for (const [id, { session }] of this.#sessions) {
      if (session.over || session.idleMs(now) > (session.isIdle ? idleMsMax : busyMsMax)) this.#drop(id);
    }
  }

  /** Drops the sessions whose loss costs only a replay. Returns whether others remain. */
  dropUnneeded(): boolean {
    for (const [id, { session }] of this.#sessions) if (!session.isNeeded()) this.#drop(id);
    return this.#sessions.size > 0;
  }

  #drop(id: string): void {
    const held = this.#sessions.get(id);
    if (held === undefined) return;
    this.#sessions.delete(id);
    if (this.#ofRuns.get(held.run) === id) this.#ofRuns.delete(held.run);
    this.#chars -= held.chars;
    held.session.drop();
  }
}
