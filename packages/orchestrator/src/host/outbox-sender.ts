/**
 * Sends the messages of an outbox.
 *
 * Owns: the order in which messages are sent, and how many are in flight. It remembers the keys of pending messages by
 * address, so it reads each row once when it finds it, and again only to send it.
 *
 * Invariants
 * - OS1 For each address at most the oldest message is in flight, so messages to one address arrive in order. It is in
 *   flight until its row is deleted, or until messages are due again. If others were answered meanwhile, it is late then, and
 *   in flight until they are due once more.
 * - OS2 An address whose messages are not delivered delays no other address: each call, and each failure when no found message
 *   waits, finds up to `FOUND_PER_CALL` more messages; addresses take turns; and a message that is late takes no place.
 * - OS3 A later message has a higher key, unless the outbox was empty before.
 * - OS4 At most `IN_FLIGHT_MAX` messages are in flight, without those that are late. A late result of an earlier attempt may
 *   free a place too early. So an object with thousands of messages leaves time for others.
 */
import { type Address, type ErrorValue, type StoredAddress, addressKey, readAddress } from "@holdfast/protocol";
import type { ListOptions } from "./store.ts";

/** How many messages one call of `send` finds. */
const FOUND_PER_CALL = 256;
/** How many messages are in flight at once. */
const IN_FLIGHT_MAX = 16;

const NONE_FOUND = new Map<string, never>();

/** The result of sending: acknowledged, perhaps with an answer of the receiver, rejected finally, or not delivered. */
export type SendResult<Answer = unknown> =
  | { readonly type: "acknowledged"; readonly answer?: Answer }
  | { readonly type: "refused"; readonly error: ErrorValue }
  | { readonly type: "unreachable" };

export interface OutboxSenderOptions<Row, Result> {
  /** Lists the rows in the order of their keys. `undefined` in place of a row: it is no longer pending. */
  readonly list: (options: ListOptions) => Iterable<readonly [key: string, row: Row | undefined]>;
  /** Returns the row with this key, unless it was deleted or is no longer pending. */
  readonly read: (key: string) => Row | undefined;
  /** Sends a row's message. `done` must be called at most once, with the result. */
  readonly send: (to: Address, row: Row, done: (result: Result) => void) => void;
  /** Stores the result. If it settles the message, the row is deleted afterwards. */
  readonly sent: (key: string, result: Result) => void;
}

export class OutboxSender<Row extends { readonly to: StoredAddress }, Result> {
  readonly #options: OutboxSenderOptions<Row, Result>;
  /** The keys of the pending messages to each address, in order. */
  readonly #queues = new Map<string, string[]>();
  /** The addresses whose oldest message can be sent, in the order of their turns. */
  readonly #ready = new Set<string>();
  #inFlight = new Set<string>();
  /** The addresses whose oldest message was in flight when messages were due again. */
  #late = new Set<string>();
  /** The addresses whose oldest message was not delivered. It is sent when messages are due again. */
  readonly #failed = new Set<string>();
  /** Whether a message was acknowledged or refused since messages were last due again. */
  #isAnswered = false;
  #lastFound: string | undefined;

  constructor(options: OutboxSenderOptions<Row, Result>) {
    this.#options = options;
  }

  /** Sends the messages that are not in flight. `again`: messages are due again, so those that failed or are late are sent. */
  send(again: boolean): void {
    if (again) this.#dueAgain();
    this.#sendReady(this.#find());
  }

  #dueAgain(): void {
    // While others are answered, a message that is in flight may have been sent a moment ago.
    const unanswered = this.#isAnswered ? [] : this.#inFlight;
    for (const address of [...this.#failed, ...this.#late, ...unanswered]) this.#ready.add(address);
    this.#failed.clear();
    this.#late = this.#isAnswered ? this.#inFlight : new Set();
    this.#inFlight = new Set();
    this.#isAnswered = false;
  }

  /** Appends messages that were posted since the last call to the queues, and returns their rows. */
  #find(): Map<string, Row> {
    const found = new Map<string, Row>();
    const after = this.#lastFound === undefined ? {} : { after: this.#lastFound };
    for (const [key, row] of this.#options.list({ ...after, limit: FOUND_PER_CALL })) {
      this.#lastFound = key;
      // Newer code sends a message whose address this version cannot read.
      if (row === undefined || !isAddress(row.to)) continue;
      const address = addressKey(readAddress(row.to));
      const queue = this.#queues.get(address);
      if (queue === undefined) {
        this.#queues.set(address, [key]);
        this.#ready.add(address);
      } else queue.push(key);
      found.set(key, row);
    }
    return found;
  }

  #sendReady(found: ReadonlyMap<string, Row>): void {
    for (const address of this.#ready) {
      if (this.#inFlight.size >= IN_FLIGHT_MAX) return;
      this.#ready.delete(address);
      this.#sendOldest(address, found);
    }
  }

  #sendOldest(address: string, found: ReadonlyMap<string, Row>): void {
    const key = this.#queues.get(address)?.[0] ?? "";
    const row = found.get(key) ?? this.#options.read(key);
    if (row === undefined) return this.#removeOldest(address);
    this.#inFlight.add(address);
    this.#options.send(readAddress(row.to), row, (result) => {
      this.#options.sent(key, result);
      this.#answered(address, key);
    });
  }

  #answered(address: string, key: string): void {
    // A result of an earlier message changes nothing.
    if (this.#queues.get(address)?.[0] !== key) return;
    const isSettled = this.#options.read(key) === undefined;
    if (!this.#inFlight.delete(address) && !this.#late.delete(address) && !isSettled) return;
    this.#isAnswered ||= isSettled;
    if (isSettled) this.#removeOldest(address);
    else this.#failed.add(address);
    // After a settled message, the host sends.
    this.#sendReady(isSettled || this.#ready.size > 0 ? NONE_FOUND : this.#find());
  }

  /** Removes the oldest message of a queue, whose row is deleted. */
  #removeOldest(address: string): void {
    const queue = this.#queues.get(address);
    queue?.shift();
    this.#failed.delete(address);
    if (queue === undefined || queue.length > 0) this.#ready.add(address);
    else {
      this.#queues.delete(address);
      this.#ready.delete(address);
    }
    if (this.#queues.size === 0) this.#lastFound = undefined;
  }
}

function isAddress(to: unknown): to is StoredAddress {
  if (typeof to !== "object" || to === null) return typeof to === "string";
  return "kind" in to && typeof to.kind === "string" && "name" in to && typeof to.name === "string";
}
