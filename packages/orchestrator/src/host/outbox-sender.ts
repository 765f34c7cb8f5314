/**
 * Sends the messages of an outbox.
 *
 * Owns: the order in which messages are sent. It remembers the keys of pending messages by address, so it reads each row
 * once when it finds it, and again only to send it.
 *
 * Invariants
 * - OS1 For each address at most the oldest message is in flight, so messages to one address arrive in order. It is in
 *   flight until its row is deleted, or until messages are due again.
 * - OS2 An address whose messages are not delivered delays no other address: each call finds up to `FOUND_PER_CALL` more
 *   messages, and addresses take turns.
 * - OS3 A later message has a higher key, unless the outbox was empty before.
 */
import { type Address, type ErrorValue, type StoredAddress, addressKey, readAddress } from "@holdfast/protocol";
import type { ListOptions } from "./store.ts";

/** How many messages one call of `send` finds, and how many it sends. */
const FOUND_PER_CALL = 256;
const SENT_PER_CALL = 64;

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
  /** The keys of the messages to each address, in order. The address that was served last is the last. */
  readonly #queues = new Map<string, string[]>();
  /** The addresses whose oldest message is in flight or failed. */
  readonly #busy = new Set<string>();
  #lastFound: string | undefined;

  constructor(options: OutboxSenderOptions<Row, Result>) {
    this.#options = options;
  }

  /** Sends the messages that are not in flight. `again`: messages in flight are sent again, too. */
  send(again: boolean): void {
    if (again) this.#busy.clear();
    const found = this.#find();
    let sent = 0;
    // A copy: an address that is served moves to the end.
    const addresses = [...this.#queues.keys()];
    for (const address of addresses) {
      if (sent === SENT_PER_CALL) return;
      if (this.#sendOldest(address, found)) sent += 1;
    }
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
      if (queue === undefined) this.#queues.set(address, [key]);
      else queue.push(key);
      found.set(key, row);
    }
    return found;
  }

  /** Sends the oldest message to an address, unless one is in flight. Returns whether it sent one. */
  #sendOldest(address: string, found: ReadonlyMap<string, Row>): boolean {
    const queue = this.#queues.get(address);
    const key = queue?.[0];
    if (queue === undefined || key === undefined || this.#busy.has(address)) return false;
    const row = found.get(key) ?? this.#options.read(key);
    if (row === undefined) {
      this.#drop(address);
      return this.#sendOldest(address, found);
    }
    this.#queues.delete(address);
    this.#queues.set(address, queue);
    this.#busy.add(address);
    this.#options.send(readAddress(row.to), row, (result) => {
      this.#options.sent(key, result);
      // A late result of an earlier message, or one that does not settle this message, changes nothing.
      if (this.#queues.get(address)?.[0] !== key || this.#options.read(key) !== undefined) return;
      this.#drop(address);
      this.#sendOldest(address, NONE_FOUND);
    });
    return true;
  }

  /** Removes the oldest message of a queue, whose row is deleted. */
  #drop(address: string): void {
    const queue = this.#queues.get(address);
    queue?.shift();
    this.#busy.delete(address);
    if (queue?.length === 0) this.#queues.delete(address);
    if (this.#queues.size === 0) this.#lastFound = undefined;
  }
}

function isAddress(to: unknown): to is StoredAddress {
  if (typeof to !== "object" || to === null) return typeof to === "string";
  return "kind" in to && typeof to.kind === "string" && "name" in to && typeof to.name === "string";
}
