/**
 * Values in an envelope, `scheme.rest`: the form in which later versions write encrypted or otherwise encoded values (VER4).
 *
 * Owns: the rule that distinguishes them. A scheme starts with a lowercase letter, and a result of `encodeValue` starts
 * with `[` or `-`. This version decodes no scheme.
 */

export function isEnveloped(text: string): boolean {
  return text >= "a" && text < "{";
}

/** Returns the scheme of a value in an envelope: `h1` for `h1.…`. */
export function schemeOf(text: string): string {
  return text.slice(0, 16).split(".", 1).join();
}
