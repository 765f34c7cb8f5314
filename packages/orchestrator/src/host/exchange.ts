/**
 * How objects exchange messages whose effect must not happen twice.
 *
 * Owns: numbers, receipts and probes, as pure functions that sender and receiver both use. Messages of runs do not need
 * it: their receivers recognise them by what they say.
 *
 * A sender numbers its messages by its clock, always upwards, and sends the next message to an address only after the
 * one before it was answered. The receiver keeps the newest number of each sender, in the commit that carries the
 * message's effect. A sender whose storage was restored to an earlier state sends what it still holds under the numbers
 * of then, which the receiver recognises, and numbers new messages above all that it sent before, because time went on.
 *
 * Invariants
 * - EX1 A message takes effect at most once, and in the order of its sender's numbers, within `SEEN_MS` of the sender's
 *   last message.
 * - EX2 Any receipt settles a message. Without one it is sent again.
 */
import { FORMAT_VERSION, type StoredAddress } from "@holdfast/protocol";

/** How long a receiver remembers a sender after its last message, ms: longer than a copy of a message may be late. */
export const SEEN_MS = 3_600_000;

export interface Envelope<Message> {
  readonly from: StoredAddress;
  readonly number: number;
  readonly message: Message;
}

/** What a receiver keeps of one sender: the newest number, and when it came, ms since the epoch. */
export interface SeenRow {
  readonly v: number;
  readonly number: number;
  readonly at: number;
}

export type Receipt =
  | { readonly type: "taken" }
  /** The message, or a later one of the same sender, was taken before. */
  | { readonly type: "duplicate"; readonly newest: number }
  /** The receiver does not exist. */
  | { readonly type: "gone" };

/** The number of the next message. `last`: the last number that the sender gave, 0 at first. */
export function nextNumber(last: number, now: number): number {
  return Math.max(last + 1, now);
}

/** Whether a message is new. If it is, its effect and the sender's new row belong into one commit. */
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

/** Whether a sender's row may be deleted: no copy of a message is that late. */
export function mayForget({ at }: SeenRow, now: number): boolean {
  return now - at >= SEEN_MS;
}

/**
 * The last number of a sender after a receipt. A receiver that has a higher one got it before the sender was restored to
 * an earlier state: the sender numbers above it from now on.
 */
export function lastAfter(receipt: Receipt, last: number): number {
  return receipt.type === "duplicate" ? Math.max(last, receipt.newest) : last;
}

/** "Do you still hold this?": asked of a receiver when the two sides may have forgotten each other. */
export interface Probe {
  readonly type: "probe";
  readonly about: string;
}

export interface ProbeAnswer {
  readonly type: "probed";
  readonly about: string;
  readonly held: boolean;
}

/** `held`: what the receiver holds; `undefined` if it does not exist, which holds nothing. */
export function answerProbe({ about }: Probe, held: ReadonlySet<string> | undefined): ProbeAnswer {
  return { type: "probed", about, held: held?.has(about) === true };
}
