/**
 * Schemas of fields that several routes share (LIM2, RUN7).
 *
 * Owns: the checks of names, ids, durations, tags and numbers.
 */
import {
  HoldfastError,
  LIMITS,
  RUN_VIEWS,
  idProblem,
  nameProblem,
  parseDurationMs,
  parseTimeMs,
} from "@holdfast/protocol";
import * as v from "valibot";
import { subjectProblem } from "../../auth/credentials.ts";

/** A name (RUN8). */
export const nameField = checkedText(nameProblem, "A name: 1 to 256 bytes of UTF-8.");

/** An id is a name without control characters. */
export const idField = checkedText(idProblem, "An id: 1 to 256 bytes of UTF-8 without control characters, not . or ..");

/** The name of a caller. */
export const subjectField = checkedText(
  subjectProblem,
  "An id that is not one of the names under which the engine acts, such as `api` or `holdfast:…`.",
);

/** A duration. The schema converts it to milliseconds. */
export const durationField = v.pipe(
  v.union([v.string(), v.number()]),
  v.description('Milliseconds, or a whole number with a unit: "500ms", "30s", "5m", "2h", "7d", "1w".'),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return parseDurationMs(dataset.value, "duration");
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      addIssue({ message: error.message.replace(/^duration: /, "") });
      return NEVER;
    }
  }),
);

/** Returns a time in ISO 8601 as ms since 1970; NaN: it is none. */
export function isoMs(text: string): number {
  try {
    return parseTimeMs(text, "");
  } catch {
    return Number.NaN;
  }
}

/** An object, unchanged: `v.record` would drop keys such as `constructor`. */
export const objectField = v.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);

export const tagsField = v.pipe(v.array(nameField), v.maxLength(LIMITS.tags, `at most ${LIMITS.tags} tags`));

/** Any JSON value. */
export const payloadField = v.optional(v.unknown());

/** Which view of a run an answer shows (API7). */
export const viewField = v.optional(v.picklist(RUN_VIEWS, `must be ${RUN_VIEWS.join(", ")}`));

export const reasonField = v.pipe(v.string(), v.maxLength(LIMITS.errorMessageChars));

/** A whole number in a query, where values are text. */
export function wholeNumberField(min: number, max: number): v.GenericSchema<string, number> {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,16}$/, message),
    v.transform(Number),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
}

/** A time in a query, in milliseconds since 1970. */
export const timeMsField: v.GenericSchema<string, number> = wholeNumberField(0, 8_640_000_000_000_000);

function checkedText(
  problemOf: (value: unknown) => string | undefined,
  description: string,
): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const problem = dataset.typed ? problemOf(dataset.value) : undefined;
      if (problem !== undefined) addIssue({ message: problem });
    }),
    v.description(description),
  );
}
