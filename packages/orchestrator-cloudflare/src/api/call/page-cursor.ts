/**
 * Cursors of lists: the position at which a page ended, as URL-safe text.
 *
 * Owns: their form, and their check before the index is asked (LIM2).
 */
import * as v from "valibot";
import { fromBase64Url, toBase64Url } from "../../auth/base64-url.ts";
import type { Position } from "../../index-object/run-index.ts";

export function writeCursor({ createdAt, id }: Position): string {
  return `${createdAt}.${toBase64Url(id)}`;
}

/** Longer than the cursor of the longest id. */
const PATTERN = /^(\d{1,16})\.([\w-]{0,2048})$/;
const TIME_MS_MAX = 8_640_000_000_000_000;

/** A cursor whose position is a text, such as a name. */
export const textCursorField: v.GenericSchema<string, string> = cursorOf(fromBase64Url);

/** A cursor in a query or a body, as a position. */
export const cursorField: v.GenericSchema<string, Position> = cursorOf(readCursor);

function cursorOf<T>(read: (cursor: string) => T | undefined): v.GenericSchema<string, T> {
  return v.pipe(
    v.string(),
    v.description("A `nextCursor`."),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const position = read(dataset.value);
      if (position !== undefined) return position;
      addIssue({ message: "is not the nextCursor of an answer; send a nextCursor unchanged" });
      return NEVER;
    }),
  );
}

function readCursor(cursor: string): Position | undefined {
  const [, createdAt = "", text = ""] = PATTERN.exec(cursor) ?? [];
  if (createdAt === "" || Number(createdAt) > TIME_MS_MAX) return undefined;
  const id = fromBase64Url(text);
  return id === undefined ? undefined : { createdAt: Number(createdAt), id };
}
