/**
 * Cursors of lists: the position at which a page ended, as URL-safe text.
 *
 * Owns: their form, and their check before the index is asked (LIM2).
 */
import * as v from "valibot";
import type { Position } from "../index-object/run-index.ts";

export function writeCursor({ createdAt, id }: Position): string {
  const bytes = new TextEncoder().encode(id);
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `${createdAt}.${text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

/** Longer than the cursor of the longest id. */
const PATTERN = /^(\d{1,16})\.([\w-]{0,2048})$/;
const TIME_MS_MAX = 8_640_000_000_000_000;

/** A cursor in a query or a body, as a position. */
export const cursorField: v.GenericSchema<string, Position> = v.pipe(
  v.string(),
  v.description("A `nextCursor`."),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const position = readCursor(dataset.value);
    if (position !== undefined) return position;
    addIssue({ message: "is not the nextCursor of an answer; send a nextCursor unchanged" });
    return NEVER;
  }),
);

function readCursor(cursor: string): Position | undefined {
  const [, createdAt = "", text = ""] = PATTERN.exec(cursor) ?? [];
  if (createdAt === "" || Number(createdAt) > TIME_MS_MAX) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    return { createdAt: Number(createdAt), id: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    return undefined;
  }
}
