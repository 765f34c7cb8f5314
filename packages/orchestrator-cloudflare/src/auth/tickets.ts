/**
 * Tickets: what a page sends in place of credentials to follow one run, because browsers cannot set the headers of sockets
 * and event sources (SEC11).
 *
 * Owns: the text of a ticket, its time, and its refusal, which has one text for every reason and quotes nothing.
 *
 * Invariants
 * - T1 Nothing in a ticket is read before its code was verified. The code covers the text as it was sent, so a text that
 *   decodes to the same bytes is another ticket.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";
import { ApiRefusal } from "../refusal.ts";
import { fromBase64Url, toBase64Url } from "./base64-url.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Principal } from "./principal.ts";

/** What makes a ticket work once: the run's object remembers the nonce until the ticket expires. */
export interface TicketUse {
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface Ticket extends TicketUse {
  /** The caller who got the ticket. */
  readonly principal: Pick<Principal, "subject" | "tenantId" | "scopes">;
  /** The only path for which the ticket is valid. */
  readonly path: string;
}

const FORM = /^([\w-]+)\.([0-9a-f]{32})$/;

/** Makes a ticket that is valid from now on. */
export async function writeTicket(
  ring: KeyRing,
  { subject, tenantId, scopes }: Principal,
  path: string,
): Promise<{ readonly ticket: string; readonly expiresAt: number }> {
  const expiresAt = Date.now() + HOST_LIMITS.ticketMs;
  const ticket: Ticket = { principal: { subject, tenantId, scopes }, path, expiresAt, nonce: randomHex(16) };
  const content = toBase64Url(JSON.stringify(ticket));
  return { ticket: `${content}.${await ring.sign("ticket", [content])}`, expiresAt };
}

/**
 * Reads a ticket for this path.
 * @throws ApiRefusal `unauthorized`
 */
export async function readTicket(ring: KeyRing | undefined, text: string, path: string): Promise<Ticket> {
  const [, content = "", code = ""] = (text.length <= HOST_LIMITS.ticketChars && FORM.exec(text)) || [];
  if (!((await ring?.verify("ticket", [content], code)) ?? false)) throw invalidTicket();
  // The deployment wrote this text.
  const ticket = JSON.parse(fromBase64Url(content) ?? "") as Ticket;
  if (ticket.path !== path || isExpired(ticket, Date.now())) throw invalidTicket();
  return ticket;
}

/** How far the clocks of two machines may differ, ms. */
const SKEW_MS = HOST_LIMITS.ticketMs;

/** A ticket that expires later than any that is made now is of a clock that was ahead. */
export function isExpired({ expiresAt }: Pick<TicketUse, "expiresAt">, now: number): boolean {
  return expiresAt <= now || expiresAt - now > HOST_LIMITS.ticketMs + SKEW_MS;
}

export function invalidTicket(): ApiRefusal {
  const seconds = HOST_LIMITS.ticketMs / 1_000;
  return new ApiRefusal(
    "unauthorized",
    `The ticket is not valid here. A ticket works once, within ${seconds} s, and only for the path for which it was made. Get another one: POST /api/tickets.`,
    undefined,
    { "WWW-Authenticate": "Bearer" },
  );
}
