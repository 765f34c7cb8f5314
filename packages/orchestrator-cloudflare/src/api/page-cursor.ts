/**
 * Cursors of lists: the position at which a page ended, as URL-safe text.
 */
import type { Position } from "../index-object/run-index.ts";
import { ApiRefusal } from "../refusal.ts";

export function writeCursor({ createdAt, id }: Position): string {
  const bytes = new TextEncoder().encode(id);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `${createdAt}.${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** @throws ApiRefusal `invalid_query` for an invalid cursor. */
export function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, createdAt = "", text = ""] = /^(\d{1,16})\.([\w-]*)$/.exec(cursor) ?? [];
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    if (createdAt !== "")
      return { createdAt: Number(createdAt), id: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    // Falls through to the refusal below.
  }
  throw new ApiRefusal(
    "invalid_query",
    "The query is invalid: cursor: is not the nextCursor of an answer. Send a nextCursor unchanged.",
  );
}
