/**
 * Values in an envelope, `scheme.rest`: how a later version writes values that are encrypted or otherwise encoded (VER4).
 *
 * Owns: the rule that distinguishes them. A scheme begins with a lowercase letter; no text of `encodeValue` does (those begin with `[`
 * or `-`). This version reads no scheme.
 */

export function isEnveloped(text: string): boolean {
  return text >= "a" && text < "{";
}

/** The scheme of a value in an envelope: `h1` of `h1.…`. */
export function schemeOf(text: string): string {
  return text.slice(0, 16).split(".", 1).join();
}
