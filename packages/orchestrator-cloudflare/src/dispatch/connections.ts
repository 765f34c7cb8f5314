/**
 * The connections of one isolate to step handlers (PIPE2, PIPE4).
 *
 * Owns: their number, and which URLs refused an upgrade. Only numbers and texts: a socket belongs to the object that opened
 * it. The entry of an object that was stopped stays, so entries that are not used are removed.
 */
import { HOST_LIMITS } from "@holdfast/protocol";

/** A connection that is counted. */
export interface Slot {
  /** When its last turn began, ms since 1970. */
  usedAt: number;
}

/** No connection is quiet for longer, nor a turn of it without an answer. */
const UNUSED_MS = 2 * HOST_LIMITS.connectionQuietMs + HOST_LIMITS.connectMs;
/** URLs that are remembered. */
const URLS_MAX = 1_000;

export class Connections {
  readonly #slots = new Set<Slot>();
  /** Until when a URL gets turns as requests, ms since 1970. */
  readonly #refusedUntil = new Map<string, number>();

  /** Counts a connection to be opened; `undefined`: turns go as requests. */
  take(url: string, max: number, now: number): Slot | undefined {
    const until = this.#refusedUntil.get(url);
    // After a clock was set back it would be refused for longer.
    if (until !== undefined && now < until && until - now <= HOST_LIMITS.connectAgainMs) return undefined;
    this.#refusedUntil.delete(url);
    if (this.#slots.size >= max) this.#sweep(now);
    if (this.#slots.size >= max) return undefined;
    const slot = { usedAt: now };
    this.#slots.add(slot);
    return slot;
  }

  release(slot: Slot): void {
    this.#slots.delete(slot);
  }

  /** The URL answered an upgrade with something else than 101, or with nothing. */
  refused(url: string, now: number): void {
    if (this.#refusedUntil.size >= URLS_MAX) this.#refusedUntil.clear();
    this.#refusedUntil.set(url, now + HOST_LIMITS.connectAgainMs);
  }

  #sweep(now: number): void {
    for (const slot of this.#slots) if (Math.abs(now - slot.usedAt) > UNUSED_MS) this.#slots.delete(slot);
  }
}

/** Those of this isolate. */
export const isolateConnections: Connections = new Connections();
