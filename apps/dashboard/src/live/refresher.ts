/**
 * Reads again when something changed, at a bounded rate.
 *
 * Owns: the times. Requests during a read cause one more read after it; a hidden page reads when it is shown again; after a
 * failure the pause grows, with jitter.
 *
 * Invariants
 * - RF1 There is one read at a time, and it begins after the last request: what it reads contains the change.
 */
export interface RefreshHost {
  /** Returns whether to read again after a failure, which it reports itself. Throws nothing. */
  read(): Promise<"done" | "retry" | "stop">;
  isHidden(): boolean;
  random(): number;
}

/** From the start of a read to that of the next one, ms. */
export const REFRESH_MS_MIN = 700;
const PAUSE_MS_MAX = 30_000;

export class Refresher {
  readonly #host: RefreshHost;
  #isRequested = false;
  #isBusy = false;
  #isStopped = false;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #notBefore = 0;

  constructor(host: RefreshHost) {
    this.#host = host;
  }

  /** Something may have changed. */
  request(): void {
    this.#isRequested = true;
    this.#schedule();
  }

  /** Call when the page is hidden or shown. */
  visibilityChanged(): void {
    if (!this.#host.isHidden()) this.request();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#isBusy || this.#isStopped || !this.#isRequested || this.#host.isHidden()) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#read(), Math.max(0, this.#notBefore - performance.now()));
  }

  async #read(): Promise<void> {
    // The page may be hidden since then.
    if (this.#isBusy || this.#isStopped || this.#host.isHidden()) return;
    this.#isBusy = true;
    this.#isRequested = false;
    const startedAt = performance.now();
    const result = await this.#host.read();
    this.#isBusy = false;
    if (result === "stop") return this.stop();
    this.#failures = result === "retry" ? this.#failures + 1 : 0;
    const pauseMs = Math.min(REFRESH_MS_MIN * 2 ** this.#failures, PAUSE_MS_MAX);
    this.#notBefore = startedAt + pauseMs * (this.#failures === 0 ? 1 : 0.75 + this.#host.random() / 2);
    if (result === "retry") this.#isRequested = true;
    this.#schedule();
  }
}
