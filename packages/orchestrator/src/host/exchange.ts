/**
 * An exchange of messages between objects in which each message takes effect at most once.
 *
 * Owns: numbers, receipts and probes, as pure functions for sender and receiver. Messages of runs do not need them: their
 * receivers recognise a repeated message by its content.
 *
 * A sender numbers its messages by its clock, in increasing order. It sends the next message to an address only after the
 * receipt for the previous one. The receiver stores the newest number of each sender in the commit of the message's
 * effect. If a sender's storage is restored to an earlier state, it sends its stored messages again under their old
 * numbers, which the receiver recognises. Its new messages get higher numbers than all earlier ones, because its clock
 * has advanced.
 *
 * Invariants
 * - EX1 A message takes effect at most once, and in the order of its sender's numbers, within `SEEN_MS` of the sender's
 *   last message.
 * - EX2 Each receipt settles a message. A message without a receipt is sent again.
 */
import { FORMAT_VERSION, type StoredAddress } from "@holdfast/protocol";

/** How long a receiver stores a sender's row after its last message, ms: longer than any message is delayed. */
export const SEEN_MS = 3_600_000;

export interface Envelope<Message> {
  readonly from: StoredAddress;
  readonly number: number;
  readonly message: Message;
}

/** A receiver's row about one sender: the newest number, and the time of its arrival, ms since 1970. */
export interface SeenRow {
  readonly v: number;
  readonly number: number;
  readonly at: number;
}

export type Receipt =
  | { readonly type: "taken" }
  /** The receiver has taken this message, or a later one of the same sender, before. */
  | { readonly type: "duplicate"; readonly newest: number }
  /** The receiver does not exist. */
  | { readonly type: "gone" };

/** Returns the number of the next message. `last`: the sender's last number, 0 at first. */
export function nextNumber(last: number, now: number): number {
  return Math.max(last + 1, now);
}

/** Decides whether a message is new. The caller commits the effect of a new message together with `seen`. */
export function accept(
  known: SeenRow | undefined,
  number: number,
  now: number,
): { readonly receipt: Receipt; readonly seen: SeenRow | undefined } {
  if (known !== undefined && number <= known.number) {
    return { receipt: { type: "duplicate", newest: known.number }, seen: undefined };
  }
  return { receipt: { type: "taken" }, seen: { v: FORMAT_VERSION, number, at: now } };
}

/** Whether a sender's row may be deleted: no message of that age can still arrive. */
export function mayForget({ at }: SeenRow, now: number): boolean {
  return now - at >= SEEN_MS;
}

/**
 * Returns the last number of a sender after a receipt. A receiver may have a higher number, from before the sender was
 * restored to an earlier state. The sender then continues above that number.
 */
export function lastAfter(receipt: Receipt, last: number): number {
  return receipt.type === "duplicate" ? Math.max(last, receipt.newest) : last;
}

/** Asks a receiver whether it still holds a thing, when either side may have lost its state. */
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
