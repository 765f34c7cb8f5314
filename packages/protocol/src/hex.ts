/**
 * Bytes as hexadecimal text.
 *
 * Owns: both directions.
 */

/** Writes bytes as lower-case digits, two for each byte. */
export function toHex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Reads bytes from hexadecimal digits, two for each byte. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_none, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
