/**
 * The tickets that opened a stream or a socket of this run (SEC11).
 *
 * Owns: the rule that a ticket works once. It holds for one instance of the object: nothing is stored. After the expiry of a
 * ticket no instance accepts it.
 *
 * Invariants
 * - UT1 The memory is bounded. While it is full of tickets that have not expired, every ticket is refused.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { type TicketUse, invalidTicket, isExpired } from "../auth/tickets.ts";
import { ApiRefusal } from "../refusal.ts";

export class UsedTickets {
  /** The expiry by nonce, in the order of use. */
  readonly #used = new Map<string, number>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /**
   * Uses the ticket, if the request has one, and opens what it is for. If that fails, the ticket is not used up.
   * @throws ApiRefusal `unauthorized`, `too_many_requests`
   */
  async use<T>(ticket: TicketUse | undefined, open: () => T | Promise<T>): Promise<T> {
    if (ticket === undefined) return open();
    const now = this.#clock();
    this.#forget(now);
    if (isExpired(ticket, now) || this.#used.has(ticket.nonce)) throw invalidTicket();
    if (this.#used.size >= HOST_LIMITS.usedTickets)
      throw new ApiRefusal(
        "too_many_requests",
        "Too many tickets of this run were used within a minute. Try again later.",
      );
    this.#used.set(ticket.nonce, ticket.expiresAt);
    try {
      return await open();
    } catch (error) {
      this.#used.delete(ticket.nonce);
      throw error;
    }
  }

  #forget(now: number): void {
    for (const [nonce, expiresAt] of this.#used) {
      if (!isExpired({ expiresAt }, now)) return;
      this.#used.delete(nonce);
    }
  }
}
