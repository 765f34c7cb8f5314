/**
 * A number that is fixed by a text: for jitter and for ids that must come out the same each time. Not for secrets.
 */

/** 32 bits of a text: FNV-1a (Fowler, Noll, Vo 1991). Another `salt` gives other bits of the same text. */
export function hashText(text: string, salt = 0): number {
  let hash = 0x811c9dc5 ^ salt;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
