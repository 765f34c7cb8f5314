/**
 * Sends the messages of an outbox.
 *
 * Owns: the set of messages in flight. For each address only the oldest message is in flight, so messages to one address
 * arrive in order.
 *
 * Invariants
 * - OS1 A message is in flight until its result arrives or until it is due again.
 */
import { type Address, type ErrorValue, type StoredAddress, addressKey, readAddress } from "@holdfast/protocol";

/** The result of sending: acknowledged, rejected finally, or not delivered. */
export type SendResult =
  | { readonly type: "acknowledged" }
  | { readonly type: "refused"; readonly error: ErrorValue }
  | { readonly type: "unreachable" };

export interface OutboxSenderOptions<Row, Result> {
  /** The oldest rows, in order. */
  readonly rows: () => Iterable<readonly [key: string, row: Row]>;
  /** Sends a row's message. `done` must be called at most once, with the result. */
  readonly send: (to: Address, row: Row, done: (result: Result) => void) => void;
  readonly sent: (key: string, result: Result) => void;
}

export class OutboxSender<Row extends { readonly to: StoredAddress }, Result> {
  readonly #options: OutboxSenderOptions<Row, Result>;
  /** The attempts in flight, by the message's key. */
  readonly #inFlight = new Map<string, symbol>();

  constructor(options: OutboxSenderOptions<Row, Result>) {
    this.#options = options;
  }

  /** Sends the messages that are not in flight. `again`: messages in flight are sent again, too. */
  send(again: boolean): void {
    if (again) this.#inFlight.clear();
    const busy = new Set<string>();
    for (const [key, row] of this.#options.rows()) {
      const to = readAddress(row.to);
      const address = addressKey(to);
      const waits = busy.has(address) || this.#inFlight.has(key);
      busy.add(address);
      if (waits) continue;
      const attempt = Symbol(key);
      this.#inFlight.set(key, attempt);
      this.#options.send(to, row, (result) => {
        if (this.#inFlight.get(key) === attempt) this.#inFlight.delete(key);
        this.#options.sent(key, result);
      });
    }
  }
}
