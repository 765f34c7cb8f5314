/**
 * Unguessable names and seeds.
 *
 * Owns: the one place that asks the platform for random bytes and writes them as text.
 */
import { toHex } from "../hex.ts";

/** `bytes` random bytes as twice as many hexadecimal digits. */
export function randomHex(bytes: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(bytes)));
}
