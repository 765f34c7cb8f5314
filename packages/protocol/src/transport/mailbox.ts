/** A queue with one reader, which takes one item after the other. */
export class Mailbox<Item> {
  readonly #items: Item[] = [];
  #reader: ((item: Item) => void) | undefined;

  put(item: Item): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) this.#items.push(item);
    else reader(item);
  }

  /** Resolves with the oldest item, as soon as there is one. */
  async take(): Promise<Item> {
    return this.#items.shift() ?? new Promise((resolve) => (this.#reader = resolve));
  }
}
