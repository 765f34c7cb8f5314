/**
 * A hash of a text, for jitter and for ids that must be the same each time. Not for secrets.
 */

/** Returns a 32-bit hash: FNV-1a (Fowler, Noll, Vo 1991). Each `salt` gives another hash of the same text. */
export function hashText(text: string, salt = 0): number {
  let hash = 0x811c9dc5 ^ salt;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
