/**
 * A limited number of places, for readers that may leave without notice.
 *
 * Owns: the count, and the search for readers that have left. The platform notices that a client closed its connection only
 * when something is sent to it. So while all places are taken, a new reader makes the others receive something, and gets the
 * place of one that is found to be gone.
 */

/** How long a new reader waits for a place, ms: long enough for the answer of a connection that is closed. */
const WAIT_MS = 500;

/** The shortest time between two searches, ms. */
const SEARCH_MS = 100;

export class Places {
  readonly #max: number;
  /** Sends something to all readers. */
  readonly #probe: () => void;
  #taken = 0;
  #searchedAt = -Infinity;
  #isSearchDue = false;
  /** New readers in the order of their requests. */
  readonly #waiting = new Set<() => void>();

  constructor(max: number, probe: () => void) {
    this.#max = max;
    this.#probe = probe;
  }

  /** Takes a place. Returns whether there was one. */
  async take(): Promise<boolean> {
    if (this.#taken >= this.#max) return this.#wait();
    this.#taken += 1;
    return true;
  }

  /** Gives a place back: to a reader that waits, if there is one. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#taken -= 1;
    else next();
  }

  #wait(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (taken: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(take);
        resolve(taken);
      };
      const take = (): void => settle(true);
      const timer = setTimeout(() => settle(false), WAIT_MS);
      this.#waiting.add(take);
      this.#search();
    });
  }

  #search(): void {
    if (this.#isSearchDue) return;
    this.#isSearchDue = true;
    const search = (): void => {
      this.#isSearchDue = false;
      this.#searchedAt = performance.now();
      this.#probe();
    };
    const delayMs = this.#searchedAt + SEARCH_MS - performance.now();
    if (delayMs > 0) setTimeout(search, delayMs);
    else search();
  }
}
