/**
 * Text that others wrote, as text.
 *
 * Owns: how it is shown. Control characters and those that change the direction of a line are shown by their names; nothing
 * is markup, and no text is a link.
 */
import type { JSX } from "preact";

// oxlint-disable-next-line no-control-regex -- These are the characters to replace.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Returns the text with visible names in place of characters that nobody sees. */
export function visible(text: string): string {
  return text.toWellFormed().replace(HIDDEN, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : `\u27e8U+${code.toString(16).toUpperCase().padStart(4, "0")}\u27e9`;
  });
}

/** A name or a message in a line. */
export function Text({ of, max = 500 }: { readonly of: string; readonly max?: number }): JSX.Element {
  const shown = visible(of.slice(0, max));
  return (
    <bdi title={of.length > max ? `${of.length} characters` : undefined}>{of.length > max ? `${shown}…` : shown}</bdi>
  );
}
