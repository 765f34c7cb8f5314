/**
 * The executions that a step handler holds between turns.
 *
 * Owns: the limits: the number of sessions, the characters of their start messages, and the time without a request.
 * Beyond a limit sessions are dropped, idle ones and the least recently used first. The orchestrator then starts
 * another execution from the journal.
 */
import { webPlatform } from "../replay/platform.ts";
import type { Session } from "./session.ts";

export interface SessionLimits {
  /** Concurrent sessions. Default 1,000. */
  readonly sessionsMax?: number;
  /** Characters of all start messages together. Default 128 Mi. */
  readonly charsMax?: number;
  /** The maximum time between two requests of a session, ms. Default five minutes. */
  readonly idleMsMax?: number;
}

export class Sessions {
  readonly #sessions = new Map<string, { readonly session: Session; readonly chars: number }>();
  readonly #limits: Required<SessionLimits>;
  #chars = 0;

  constructor({ sessionsMax = 1_000, charsMax = 2 ** 27, idleMsMax = 300_000 }: SessionLimits) {
    this.#limits = { sessionsMax, charsMax, idleMsMax };
  }

  get size(): number {
    return this.#sessions.size;
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id)?.session;
  }

  add(id: string, session: Session, chars: number): void {
    this.#sessions.set(id, { session, chars });
    this.#chars += chars;
    this.sweep(id);
  }

  /** Drops sessions that have ended or idled too long, then sessions beyond the limits. */
  sweep(except?: string): void {
    const now = webPlatform.now();
    for (const [id, { session }] of this.#sessions) {
      const idleMs = now - session.usedAt;
      if (id !== except && (session.over || idleMs > this.#limits.idleMsMax)) this.#drop(id);
    }
    const { sessionsMax, charsMax } = this.#limits;
    const isOverLimit = (): boolean => this.#sessions.size > sessionsMax || this.#chars > charsMax;
    if (!isOverLimit()) return;
    const oldest = [...this.#sessions].toSorted(
      ([, a], [, b]) => Number(b.session.isIdle) - Number(a.session.isIdle) || a.session.usedAt - b.session.usedAt,
    );
    for (const [id] of oldest) if (isOverLimit() && id !== except) this.#drop(id);
  }

  #drop(id: string): void {
    const { session, chars } = this.#sessions.get(id) ?? {};
    this.#sessions.delete(id);
    this.#chars -= chars ?? 0;
    session?.drop();
  }
}
