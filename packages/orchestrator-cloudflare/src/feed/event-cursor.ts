/**
 * Cursors of a run's events: the position of a reader as text (STR2).
 *
 * Owns: their form and their bounds. The API checks a cursor before a feed or a socket is opened (LIM2).
 */
import { HOST_LIMITS } from "@holdfast/protocol";

/**
 * The number of the last journal entry, how many of the first streams are read, and for each further stream: place,
 * generation, row, chunks of that row.
 */
export const EVENT_CURSOR: RegExp = /^\d{1,10}(-\d{1,6})?(~\d{1,6}\.\d{1,10}\.\d{1,10}\.\d{1,10})*$/;

/** The limit of a cursor of a socket, because the platform limits the state that it stores with a socket. */
export const SOCKET_CURSOR_CHARS = 1_500;

/** Describes what is wrong with a cursor; `undefined`: it is valid. The empty text stands for no cursor. */
export function cursorProblem(cursor: string, isSocket: boolean): string | undefined {
  const charsMax = isSocket ? SOCKET_CURSOR_CHARS : HOST_LIMITS.cursorChars;
  if (cursor.length > charsMax) {
    const instead = isSocket ? ", which is the limit of a socket; follow the run with Server-Sent Events" : "";
    return `has more than ${charsMax} characters${instead}`;
  }
  return cursor === "" || EVENT_CURSOR.test(cursor) ? undefined : "is not the id of an event; send an id unchanged";
}
