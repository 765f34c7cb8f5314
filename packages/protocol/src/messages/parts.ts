/**
 * The parts of which messages consist: names, numbers, times, encoded values and errors, with their bounds (SEC10, LIM1).
 *
 * Owns: the schemas of these parts.
 */
import { isEnveloped } from "../envelope.ts";
import { type OperationKind, idProblem, nameProblem } from "../ids.ts";
import { LIMITS } from "../limits.ts";
import { decodeValue } from "../values.ts";
import { type Schema, listOf, optional, record, that } from "./schema.ts";

export function text(chars: number): Schema {
  return that(
    `must be text of at most ${chars} characters`,
    (value) => typeof value === "string" && value.length <= chars,
  );
}

export function oneOf(...texts: readonly string[]): Schema {
  return that(`must be one of ${texts.join(", ")}`, (value) => typeof value === "string" && texts.includes(value));
}

export const name: Schema = that(
  `must be a non-empty, well-formed text of at most ${LIMITS.nameBytes} bytes`,
  (value) => nameProblem(value) === undefined,
);
export const id: Schema = that(
  `must be an id: a non-empty text of at most ${LIMITS.nameBytes} bytes without control characters`,
  (value) => idProblem(value) === undefined,
);
/** A text of the engine that is not a name: a status, or who triggered a run. */
export const word: Schema = text(LIMITS.nameBytes);
export const flag: Schema = that("must be true or false", (value) => typeof value === "boolean");
/** A mark that is `true` or absent. */
export const mark: Schema = optional(that("must be true", (value) => value === true));
export const count: Schema = that(
  "must be a whole number of at least 0",
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
);
export const position: Schema = that(
  "must be a whole number of at least 1",
  (value) => Number.isSafeInteger(value) && Number(value) >= 1,
);
export const finite: Schema = that("must be a finite number", Number.isFinite);

/** The latest time that a `Date` can have, ms since 1970. */
const TIME_MAX = 8.64e15;
export const time: Schema = that(
  "must be a time: a number of milliseconds since 1970",
  (value) => typeof value === "number" && value >= 0 && value <= TIME_MAX,
);
/** A date of the author, which may be before 1970. */
export const date: Schema = that(
  "must be a date: a number of milliseconds since 1970",
  (value) => typeof value === "number" && Math.abs(value) <= TIME_MAX,
);
export const duration: Schema = that(
  `must be a number of milliseconds from 0 to ${LIMITS.durationMs}`,
  (value) => typeof value === "number" && value >= 0 && value <= LIMITS.durationMs,
);

/** An encoded value. One that newer code encoded is not decoded here (VER4). */
export function encoded(chars: number = LIMITS.valueChars): Schema {
  const must = `must be an encoded value of at most ${chars} characters`;
  return (value, decode) => {
    if (typeof value !== "string" || value.length > chars) return { path: "", must };
    if (!decode || isEnveloped(value)) return undefined;
    try {
      decodeValue(value);
      return undefined;
    } catch {
      return { path: "", must };
    }
  };
}

export const value: Schema = encoded();

/** The id of an operation of one of these kinds. */
export function operation(...kinds: readonly OperationKind[]): Schema {
  const pattern = new RegExp(`^(?:${kinds.join("|")})/\\d{1,15}/([^]+)$`);
  return that(
    `must be the id of an operation of the kind ${kinds.join(", ")}`,
    (given) => typeof given === "string" && nameProblem(pattern.exec(given)?.[1]) === undefined,
  );
}

export const anyOperation: Schema = operation(
  "step",
  "sleep",
  "event",
  "signal",
  "token",
  "run",
  "compensation",
  "unwind",
  "metadata",
  "stream",
  "send",
);

export const error: Schema = record({
  name: text(LIMITS.nameBytes),
  message: text(LIMITS.errorMessageChars),
  code: optional(text(LIMITS.nameBytes)),
  data: optional(value),
  original: optional(encoded(LIMITS.errorChars)),
  stack: optional(text(LIMITS.errorStackChars)),
});

export const progress: Schema = optional(encoded(LIMITS.progressChars));
export const names: Schema = listOf(name);
