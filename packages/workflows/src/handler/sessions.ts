/**
 * The executions that a step handler keeps between turns.
 *
 * Owns: the bounds: how many, how many characters of journal they began with, and how long one may idle. What goes
 * beyond is dropped, those at rest and least recently used first; the orchestrator begins another from the journal.
 */
import { webPlatform } from "../replay/platform.ts";
import type { Session } from "./session.ts";

export interface SessionLimits {
  /** Sessions at one time. Default 1,000. */
  readonly sessionsMax?: number;
  /** Characters of the messages that begin them, together. Default 128 Mi. */
  readonly charsMax?: number;
  /** How long a session may be left alone, ms. Default five minutes. */
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

  /** Drops what is over or idle, and what is too much. */
  sweep(keep?: string): void {
    const now = webPlatform.now();
    for (const [id, { session }] of this.#sessions) {
      const idleMs = now - session.usedAt;
      if (id !== keep && (session.over || idleMs > this.#limits.idleMsMax)) this.#drop(id);
    }
    const { sessionsMax, charsMax } = this.#limits;
    const isTooMuch = (): boolean => this.#sessions.size > sessionsMax || this.#chars > charsMax;
    if (!isTooMuch()) return;
    const oldest = [...this.#sessions].toSorted(
      ([, a], [, b]) => Number(b.session.isAtRest) - Number(a.session.isAtRest) || a.session.usedAt - b.session.usedAt,
    );
    for (const [id] of oldest) if (isTooMuch() && id !== keep) this.#drop(id);
  }

  #drop(id: string): void {
    const { session, chars } = this.#sessions.get(id) ?? {};
    this.#sessions.delete(id);
    this.#chars -= chars ?? 0;
    session?.drop();
  }
}
