/**
 * A binary heap: the least item first.
 *
 * Owns: the order of timers and of alarms. Adding and taking an item costs the logarithm of their number.
 */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  /** All items, in no order. */
  get items(): readonly T[] {
    return this.#items;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    let at = this.#items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = this.#items[above] as T;
      if (!this.#isBefore(item, parent)) break;
      this.#items[at] = parent;
      at = above;
    }
    this.#items[at] = item;
  }

  /** Removes the least item. */
  takeFirst(): void {
    const last = this.#items.pop();
    if (last === undefined || this.#items.length === 0) return;
    let at = 0;
    for (;;) {
      const below = this.#leastBelow(at);
      const child = this.#items[below];
      if (child === undefined || !this.#isBefore(child, last)) break;
      this.#items[at] = child;
      at = below;
    }
    this.#items[at] = last;
  }

  #leastBelow(at: number): number {
    const [left, right] = [2 * at + 1, 2 * at + 2];
    const [a, b] = [this.#items[left], this.#items[right]];
    return a !== undefined && b !== undefined && this.#isBefore(b, a) ? right : left;
  }
}
