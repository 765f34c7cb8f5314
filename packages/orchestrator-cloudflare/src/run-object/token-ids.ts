/**
 * The ids of a run's tokens in texts, for readers who may not see them (SEC7).
 *
 * Owns: finding them, wherever code has put a token's id or URL: metadata, results, inputs of children. The id of a token
 * that its author named is not secret, and may be a word of any text, so it is removed from its own fields only.
 */
import { HIDDEN, hideTokenUrls } from "../token-urls.ts";
import { type StoreReader, TOKEN_PREFIX } from "@holdfast/orchestrator";

const ID_CHARS = 32;
const NONE: ReadonlySet<string> = new Set();
const HEX = /[0-9a-f]{32,}/gi;

export class TokenIds {
  readonly #store: StoreReader;

  constructor(store: StoreReader) {
    this.#store = store;
  }

  /** Returns a JSON text without the generated ids of this run's tokens, and without those in URLs of tokens. */
  hide(text: string): string {
    // A run may have as many rows of tokens as entries.
    const ids = text.search(HEX) === -1 ? NONE : this.#ids();
    const without = ids.size === 0 ? text : text.replaceAll(HEX, (digits) => withoutIds(digits, ids));
    return hideTokenUrls(without);
  }

  #ids(): ReadonlySet<string> {
    return new Set(Array.from(this.#store.list(TOKEN_PREFIX), ([key]) => key.slice(TOKEN_PREFIX.length)));
  }
}

function withoutIds(digits: string, ids: ReadonlySet<string>): string {
  const parts: string[] = [];
  let shown = 0;
  for (let at = 0; at + ID_CHARS <= digits.length; at += 1) {
    if (!ids.has(digits.slice(at, at + ID_CHARS).toLowerCase())) continue;
    parts.push(digits.slice(shown, at));
    shown = at + ID_CHARS;
    at = shown - 1;
  }
  return [...parts, digits.slice(shown)].join(HIDDEN);
}
