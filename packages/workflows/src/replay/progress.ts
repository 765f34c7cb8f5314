/**
 * The progress that bodies report (STEP8).
 *
 * Owns: the limit on its size, and the interval at which others see a new value.
 */
import { encodeValue } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import type { Platform } from "./platform.ts";

/**
 * Encodes a value.
 * @throws Error if the value is too large or cannot be stored.
 */
export function encodeProgress(value: unknown, what: string): string {
  const encoded = encodeValue(value, what);
  if (encoded.length <= LIMITS.progressChars) return encoded;
  throw new Error(`${what} takes ${encoded.length} characters; the limit is ${LIMITS.progressChars}.`);
}

/** Calls a function at most once per interval: at once, and again at its end if there was a request meanwhile. */
export class Interval {
  readonly #platform: Platform;
  readonly #act: () => void;
  #lastAt = -Infinity;
  #cancel: (() => void) | undefined;

  constructor(platform: Platform, act: () => void) {
    this.#platform = platform;
    this.#act = act;
  }

  request(): void {
    if (this.#cancel !== undefined) return;
    const waitMs = this.#lastAt + LIMITS.progressMs - this.#platform.now();
    // A clock that was set back must not delay the call.
    if (waitMs > 0 && waitMs <= LIMITS.progressMs) this.#cancel = this.#platform.setTimer(waitMs, () => this.#run());
    else this.#run();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #run(): void {
    this.#cancel = undefined;
    this.#lastAt = this.#platform.now();
    this.#act();
  }
}
