/**
 * The keys of public URLs (SEC8).
 *
 * Owns: the form of a key, and the choice of the keys: those of the deployment, else one that the index of runs makes
 * and stores.
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import * as v from "valibot";
import { TOKEN_CHARS_MIN } from "./credentials.ts";
import { KeyRing } from "./key-ring.ts";

const KEY = v.pipe(
  v.string("must be text"),
  v.minLength(TOKEN_CHARS_MIN, `must have keys of at least ${TOKEN_CHARS_MIN} characters: openssl rand -hex 32`),
  v.regex(/^[!#-&(-+\--Z^-z|~]+$/, "must have keys of ASCII without blanks, commas, quotes, brackets and backslashes"),
);

/** Keys, the newest first. */
export const URL_KEYS: v.GenericSchema<readonly string[]> = v.pipe(
  v.array(KEY, "must be a list of keys"),
  v.minLength(1, "must have at least one key"),
  v.maxLength(HOST_LIMITS.urlKeys, `must have at most ${HOST_LIMITS.urlKeys} keys`),
  v.check((keys) => new Set(keys).size === keys.length, "must have no key twice"),
);

/** Where a handler finds its keys. */
export interface KeySource {
  readonly urlKeys?: readonly string[] | undefined;
  /** The index of runs: see `RunIndex.urlKey`. */
  readonly runIndex?: { urlKey?(make: boolean): Promise<string | undefined> } | undefined;
}

/**
 * Returns the keys; `undefined`: the deployment has none. Rejects if the index cannot be read.
 * @param make Whether the index makes a key if it has none.
 */
export async function keyRingOf({ urlKeys, runIndex }: KeySource, make: boolean): Promise<KeyRing | undefined> {
  if (urlKeys !== undefined) return new KeyRing(urlKeys);
  const key = await runIndex?.urlKey?.(make);
  return key === undefined ? undefined : new KeyRing([key]);
}
