/**
 * The public keys of token issuers, as their URLs publish them (SEC1).
 *
 * Owns: the sets of all verifiers of an isolate, and what serves while an issuer does not answer: the keys that it answered
 * last, for an hour. `jose` decides when to load again, and chooses the key of a token.
 *
 * Invariants
 * - IK1 While an issuer fails, at most one line of the log in five seconds says so. If keys of it are known, one request
 *   in five seconds asks for newer ones, and no other waits for it.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import { type JWTVerifyGetKey, createRemoteJWKSet, customFetch } from "jose";

/** No key of the issuer is known. */
export class KeysUnavailable extends Error {}

/** By issuer and URL. They outlive a verifier, which a Worker may make for each request. */
const issuers = new Map<string, IssuerKeys>();
const ISSUERS_MAX = 100;

export function keysOf(issuer: string, url: string): IssuerKeys {
  const name = JSON.stringify([issuer, url]);
  const known = issuers.get(name);
  if (known !== undefined) return known;
  const keys = new IssuerKeys(url);
  if (issuers.size >= ISSUERS_MAX) issuers.clear();
  issuers.set(name, keys);
  return keys;
}

class IssuerKeys {
  readonly #url: string;
  #find: JWTVerifyGetKey;
  /** The newest valid set, as text, and when it arrived, ms since 1970. */
  #known: { readonly text: string; readonly at: number } | undefined;
  #triedAt = -Infinity;
  #failedAt = -Infinity;
  /** The log names a key of the newest set that cannot be used. */
  #complained = false;

  constructor(url: string) {
    this.#url = url;
    this.#find = this.#newSet();
  }

  /** Finds the key of a token. @throws KeysUnavailable */
  readonly find: JWTVerifyGetKey = (header, token) => {
    // After a clock was set back, `jose` would not load a rotated key until it has caught up.
    if (this.#known !== undefined && this.#known.at > Date.now()) {
      this.#known = { ...this.#known, at: Date.now() };
      this.#find = this.#newSet();
    }
    return this.#find(header, token);
  };

  /** Reports a published key that cannot be used: once for each load. */
  complain(error: unknown): void {
    if (!this.#complained) console.error(`holdfast: a key at ${this.#url} cannot be used`, error);
    this.#complained = true;
  }

  #newSet(): JWTVerifyGetKey {
    return createRemoteJWKSet(new URL(this.#url), { [customFetch]: (url, options) => this.#load(url, options) });
  }

  async #load(url: string, options: RequestInit): Promise<Response> {
    // Known keys serve while another request loads them. Without any, each request waits for an answer of its own: on
    // Workers a promise belongs to the request that made it.
    if (isPast(this.#known === undefined ? this.#failedAt : this.#triedAt)) {
      this.#triedAt = Date.now();
      try {
        this.#take(await validKeys(await fetch(url, options)));
      } catch (error) {
        if (isPast(this.#failedAt))
          console.error(`holdfast: the keys of the token issuer cannot be loaded from ${this.#url}`, error);
        this.#failedAt = Date.now();
      }
    }
    if (this.#known === undefined || Date.now() - this.#known.at > HOST_LIMITS.issuerKeysMs)
      throw new KeysUnavailable();
    return new Response(this.#known.text);
  }

  #take(text: string): void {
    // `jose` would not take them in place of older ones that a concurrent request has taken meanwhile.
    if (this.#known !== undefined && this.#known.text !== text) this.#find = this.#newSet();
    this.#known = { text, at: Date.now() };
    this.#complained = false;
    this.#failedAt = -Infinity;
  }
}

/** Whether the next request to the issuer may follow one at this time. A clock that was set back keeps no failure. */
function isPast(at: number): boolean {
  return Math.abs(Date.now() - at) >= HOST_LIMITS.issuerRetryMs;
}

/** Returns a set with the keys of an answer. One that is no object would make the whole set invalid. */
async function validKeys(response: Response): Promise<string> {
  if (response.status !== 200) {
    void response.body?.cancel().catch(() => {});
    throw new Error(`its status is ${response.status}`);
  }
  const { keys } = (await response.json()) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new Error("it has no list of keys");
  return JSON.stringify({ keys: keys.filter((key) => typeof key === "object" && key !== null && !Array.isArray(key)) });
}
