/**
 * The id of a run that is triggered by an idempotency key alone (RUN2).
 *
 * Owns: the derivation. The API and the starts of children use it, so both reach the same object of a tenant. Stored runs
 * have such ids: the derivation never changes (VER1).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

const BYTES = 20;

/** How these ids begin. No caller may choose such an id. */
export const KEY_ID_PREFIX = "key-";

/** Derives the id of a run from its key. The same key gives the same id. */
export function idFromKey(key: string): string {
  return `${KEY_ID_PREFIX}${bytesToHex(sha256(utf8ToBytes(key)).slice(0, BYTES))}`;
}
