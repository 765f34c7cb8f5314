/**
 * Message authentication codes of texts that the deployment gives away and gets back (SEC8, SEC11): URLs of public tokens,
 * and tickets.
 *
 * Owns: the covered text, the length of a code, and the comparison. A code belongs to one purpose. A text that expires
 * carries its expiry as one of the covered parts.
 *
 * Invariants
 * - K1 Different parts have different texts, because they are encoded as JSON.
 * - K2 The time of a comparison depends on neither the presented nor the expected code.
 */

import { toHex } from "@holdfast/protocol";

/** What a code is for. A code for one purpose is not valid for another. */
export type Purpose = "public token" | "ticket";

/** 128 bits. */
const MAC_BYTES = 16;

const encoder = new TextEncoder();

/** Imported keys by text. Not promises of keys: on Workers a promise belongs to the request that made it. */
const imported = new Map<string, CryptoKey>();
const IMPORTED_MAX = 64;

/** Keys, the newest first. The newest one signs, and all of them verify. */
export class KeyRing {
  readonly #keys: readonly string[];

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  /** Returns the code of these parts: 32 hexadecimal digits. */
  async sign(purpose: Purpose, parts: readonly string[]): Promise<string> {
    return codeOf(this.#keys[0] ?? "", purpose, parts);
  }

  /** Whether a key of the ring made the code for these parts. */
  async verify(purpose: Purpose, parts: readonly string[], code: string): Promise<boolean> {
    let matches = false;
    for (const key of this.#keys) {
      const expected = await codeOf(key, purpose, parts);
      matches = equal(expected, code) || matches;
    }
    return matches;
  }
}

async function codeOf(key: string, purpose: Purpose, parts: readonly string[]): Promise<string> {
  const text = JSON.stringify(["holdfast-1", purpose, ...parts]);
  const code = await crypto.subtle.sign("HMAC", await importKey(key), encoder.encode(text));
  return toHex(new Uint8Array(code, 0, MAC_BYTES));
}

async function importKey(key: string): Promise<CryptoKey> {
  const known = imported.get(key);
  if (known !== undefined) return known;
  const made = await crypto.subtle.importKey("raw", encoder.encode(key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  if (imported.size >= IMPORTED_MAX) imported.clear();
  imported.set(key, made);
  return made;
}

function equal(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length;
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i);
  return difference === 0;
}
