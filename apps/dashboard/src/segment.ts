/**
 * Names and keys in paths.
 *
 * Owns: their form, which is that of the API: the empty text, `.` and `..`, which no path can hold, follow a `~`, as do texts
 * that would be read as one of these.
 */
const ESCAPED = /^(?:\.{0,2}|~(?:\.{0,2}|~[^]*))$/u;

export function toSegment(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return ESCAPED.test(text) ? `~${encoded}` : encoded;
}

/** `undefined`: the segment has no text, or an invalid encoding. */
export function fromSegment(segment: string): string | undefined {
  try {
    const text = decodeURIComponent(segment);
    if (text === "") return undefined;
    return text.startsWith("~") && ESCAPED.test(text.slice(1)) ? text.slice(1) : text;
  } catch {
    return undefined;
  }
}
