/**
 * Names and seeds that cannot be guessed.
 *
 * Owns: random bytes of the platform, as text.
 */
import { toHex } from "../hex.ts";

/** Returns `bytes` random bytes as hexadecimal digits, two for each byte. */
export function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}
