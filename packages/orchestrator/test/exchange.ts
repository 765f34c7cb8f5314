/**
 * An exchange of messages between objects in which each message takes effect at most once.
 *
 * Owns: numbers, receipts and probes, as pure functions for sender and receiver. The product needs none of it: its receivers
 * recognise a repeated message by its content. Here they prove what the outbox delivers, whatever is lost or restored.
 *
 * A sender stores each message with its session, a random id that the sender's process chooses when it loads, and with a
 * number that follows its clock. It sends the next message to an address only after the receipt for the previous one. The
 * receiver stores the newest number of each session in the commit of the message's effect. A sender whose storage is
 * restored to an earlier state sends its stored messages again under their old sessions and numbers, which the receiver
 * recognises. Its new messages have a new session, so the receiver takes them even if the clock was set back.
 *
 * Invariants
 * - EX1 A message takes effect at most once, and in the order of the numbers of its session. This holds while the receiver
 *   stores the sender's row: for `SEEN_MS` after the last message that it took.
 * - EX2 Each receipt settles a message. A message without a receipt is sent again.
 * - EX3 A new message is never mistaken for an earlier one if the clock of a restored sender is at most `CLOCK_BACK_MS`
 *   earlier than the newest number that the receiver knows, or if the sender has had a receipt of the receiver since.
 * - EX4 A receiver whose storage is restored loses effects. The two sides detect this by probes, and send again.
 */
import { FORMAT_VERSION, type StoredAddress } from "@holdfast/protocol";

/** How long a receiver stores a sender's row after its last message, ms: longer than any message is delayed. */
export const SEEN_MS = 3_600_000;

/** How far the clock of a restored sender may be set back, ms. Receivers store the sessions of this time one by one. */
export const CLOCK_BACK_MS = 300_000;

export interface Envelope<Message> {
  readonly from: StoredAddress;
  /** The process of the sender that posted the message: an id that no other process has. */
  readonly session: string;
  readonly number: number;
  readonly message: Message;
}

/** A receiver's row about one sender. */
export interface SeenRow {
  readonly v: number;
  /** The newest number of each recent session. */
  readonly sessions: Readonly<Record<string, number>>;
  /** The newest number of all earlier sessions; 0 if there are none. */
  readonly floor: number;
  /** When the last message was taken, ms since 1970. */
  readonly at: number;
}

/** `newest`: the newest number that the receiver knows of this sender. */
export type Receipt =
  | { readonly type: "taken"; readonly newest: number }
  /** The receiver has taken this message, or a later one of the same session, before. */
  | { readonly type: "duplicate"; readonly newest: number }
  /** The receiver does not exist. */
  | { readonly type: "gone" };

/** Returns the number of the next message. `last`: the sender's last number, 0 at first. */
export function nextNumber(last: number, now: number): number {
  return Math.max(last + 1, now);
}

/** Decides whether a message is new (EX1). The caller commits the effect of a new message together with `seen`. */
export function accept(
  known: SeenRow | undefined,
  { session, number }: Pick<Envelope<unknown>, "session" | "number">,
  now: number,
): { readonly receipt: Receipt; readonly seen: SeenRow | undefined } {
  const { floor, sessions } = known ?? { floor: 0, sessions: {} };
  const newest = Math.max(number, floor, ...Object.values(sessions));
  const recent = new Map(Object.entries(sessions));
  if (number <= (recent.get(session) ?? floor)) return { receipt: { type: "duplicate", newest }, seen: undefined };
  recent.set(session, number);
  const merged = [...recent].filter(([, last]) => last < newest - CLOCK_BACK_MS);
  for (const [old] of merged) recent.delete(old);
  const seen: SeenRow = {
    v: FORMAT_VERSION,
    sessions: Object.fromEntries(recent),
    floor: Math.max(floor, ...merged.map(([, last]) => last)),
    at: now,
  };
  return { receipt: { type: "taken", newest }, seen };
}

/** Whether a sender's row may be deleted: no message of that age can still arrive. */
export function mayForget({ at }: SeenRow, now: number): boolean {
  return now - at >= SEEN_MS;
}

/**
 * Returns the last number of a sender after a receipt. A receiver may know a higher number, from before the sender was
 * restored to an earlier state. The sender then continues above that number (EX3).
 */
export function lastAfter(receipt: Receipt, last: number): number {
  return receipt.type === "gone" ? last : Math.max(last, receipt.newest);
}

/** Asks a receiver whether it still holds a thing, when either side may have lost its state (EX4). */
export interface Probe {
  readonly type: "probe";
  readonly about: string;
}

export interface ProbeAnswer {
  readonly type: "probed";
  readonly about: string;
  readonly held: boolean;
}

/** Answers a probe. `held`: the things that the receiver holds; `undefined` if the receiver does not exist. */
export function answerProbe({ about }: Probe, held: ReadonlySet<string> | undefined): ProbeAnswer {
  return { type: "probed", about, held: held?.has(about) === true };
}
