/**
 * Thrown values as plain data (STEP3, STEP9).
 *
 * Owns: the conversion between an error and `ErrorValue`. Both directions are total: user code throws anything. The copy
 * that the function catches is made from the data, live and on replay.
 */
import { defined } from "./defined.ts";
import {
  type ErrorLike,
  defineField,
  errorParts,
  isError,
  isErrorLike,
  readProperty,
  reviveError,
} from "./error-parts.ts";
import { type ErrorValue, boundMessage } from "./errors.ts";
import { LIMITS } from "./limits.ts";
import { type EncodedValue, decodeValue, encodeValue } from "./values.ts";

/** Converts a thrown value into plain data (STEP3). Never throws. */
export function toErrorValue(thrown: unknown): ErrorValue {
  const like = isErrorLike(thrown);
  const [name, message, code] = ["name", "message", "code"].map((key) => like && readProperty(thrown, key));
  const original = (make: () => unknown): EncodedValue | undefined =>
    tryEncode(() => (like && hasMore(thrown) ? make() : undefined), LIMITS.errorChars);
  return defined({
    name: typeof name === "string" ? name.slice(0, LIMITS.nameBytes) : "Error",
    message: boundMessage(typeof message === "string" ? message : describeThrown(like ? message : thrown)),
    code: /str|num/.test(typeof code) ? String(code).slice(0, LIMITS.nameBytes) : undefined,
    data: tryEncode(() => (like ? readProperty(thrown, "data") : thrown), LIMITS.valueChars),
    original: original(() => (like && isError(thrown) ? thrown : undefined)) ?? original(() => smaller(thrown)),
  });
}

/**
 * Converts plain data back into an `Error` with all that the original had (STEP3, STEP9).
 * @throws HoldfastError `NEWER_FORMAT` if newer code encoded the data.
 */
export function fromErrorValue({ original, data, ...parts }: ErrorValue): Error {
  // What the original has is exact; the other fields have its code as text.
  const copy = original && decodeValue(original);
  const error = copy instanceof Error ? copy : reviveError([parts]);
  const fields = { code: parts.code, data: data && decodeValue(data) };
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && !(key in error)) defineField(error, key, value);
  }
  return error;
}

/** Whether an error has more than `ErrorValue` says without its original. */
function hasMore(thrown: ErrorLike): boolean {
  const { name: _name, message: _message, data: _data, code = "", ...more } = errorParts(thrown);
  return typeof code !== "string" || Object.keys(more).length > 0;
}

/** A copy with short texts, and without data and own fields: of the causes to a depth of 8, and of the first 20 members. */
function smaller(error: unknown, depth = 0): unknown {
  if (!isErrorLike(error) || depth > 8) return undefined;
  const { name, message, code, cause, errors } = errorParts(error);
  return reviveError([
    {
      name,
      message: String(message).slice(0, 1_024),
      code: typeof code === "number" ? code : undefined,
      cause: smaller(cause, depth + 1),
      errors: depth === 0 && Array.isArray(errors) ? errors.slice(0, 20).map((one) => smaller(one, 8)) : undefined,
    },
  ]);
}

/** Nothing if the value is undefined, has no encoding, or has too long a one. */
function tryEncode(make: () => unknown, max: number): EncodedValue | undefined {
  try {
    const value = make();
    const text = encodeValue(value, "error");
    return value === undefined || text.length > max ? undefined : text;
  } catch {
    return undefined;
  }
}

function describeThrown(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  if (typeof thrown !== "object" || thrown === null) return `${String(thrown)} was thrown`;
  return "a value that is not an Error was thrown";
}
