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
  headOf,
  reviveError,
} from "./error-parts.ts";
import { type ErrorValue, boundMessage } from "./errors.ts";
import * as LIMITS from "./author-limits.ts";
import { type EncodedValue, classOf, decodeOrUnreadable, encodeValue } from "./values.ts";

/** Converts a thrown value into plain data (STEP3). Never throws. */
export function toErrorValue(thrown: unknown): ErrorValue {
  const like = isErrorLike(thrown);
  const [name, code] = ["name", "code"].map((key) => like && readProperty(thrown, key));
  const original = (make: () => unknown): EncodedValue | undefined =>
    tryEncode(() => (like && hasMore(thrown) ? make() : undefined), LIMITS.errorChars);
  return defined({
    name: typeof name === "string" ? name.slice(0, LIMITS.nameBytes) : "Error",
    message: boundMessage(describeThrown(thrown)),
    code: /str|num/.test(typeof code) ? String(code).slice(0, LIMITS.nameBytes) : undefined,
    data: tryEncode(() => (like ? readProperty(thrown, "data") : thrown), LIMITS.valueChars),
    original: original(() => (like && isError(thrown) ? thrown : undefined)) ?? original(() => smaller(thrown)),
    stack: stackOf(thrown)?.slice(0, LIMITS.errorStackChars),
  });
}

/** The stack of an error and of its causes. Copies of errors have no frames of their own. */
function stackOf(error: unknown, depth = 0): string | undefined {
  if (!isErrorLike(error) || depth > 8) return undefined;
  const [stack, name, message, cause] = ["stack", "name", "message", "cause"].map((key) => readProperty(error, key));
  if (typeof stack !== "string" || (typeof name === "string" && stack === headOf({ name, message }))) return undefined;
  const inner = stackOf(cause, depth + 1);
  return inner ? `${stack}\nCaused by: ${inner}` : stack;
}

/**
 * Converts plain data back into an `Error` with all that the original had (STEP3, STEP9). Its stack is the original's, so
 * that it is equal in every replay.
 * @throws HoldfastError `NEWER_FORMAT` if newer code encoded the data.
 */
export function fromErrorValue({ name, message, code, data, original, stack }: ErrorValue): Error {
  const copy = original && decodeOrUnreadable(original);
  const error = copy instanceof Error ? copy : reviveError([{}]);
  const set = (key: string, value: unknown): void => {
    if (value !== undefined) defineField(error, key, value);
  };
  set("name", name);
  set("message", message);
  set("stack", stack ?? headOf(error));
  // The original has its code as it was; `code` is text.
  if (!("code" in error)) set("code", code);
  if (!("data" in error)) set("data", data && decodeOrUnreadable(data));
  return error;
}

/** Whether an error has more than `ErrorValue` says without its original. */
function hasMore(thrown: ErrorLike): boolean {
  const { name: _name, message: _message, data: _data, code = "", ...more } = errorParts(thrown);
  return typeof code !== "string" || Object.keys(more).length > 0;
}

/** A copy without data and with short texts: of the causes to a depth of 8, and of the first 20 members. */
function smaller(error: unknown, depth = 0): unknown {
  if (!isErrorLike(error)) return isShort(error) ? error : undefined;
  if (depth > 8) return undefined;
  const { message, cause, errors, ...parts } = errorParts(error);
  return reviveError([
    {
      ...Object.fromEntries(Object.entries(parts).filter(([, part]) => isShort(part))),
      message: String(message).slice(0, SHORT),
      cause: smaller(cause, depth + 1),
      errors: depth === 0 && Array.isArray(errors) ? errors.slice(0, 20).map((one) => smaller(one, 8)) : undefined,
    },
  ]);
}

/** The longest text in the smaller copy of an error. */
const SHORT = 1_024;

function isShort(value: unknown): boolean {
  return /str|num|boo|big/.test(typeof value) && String(value).length <= SHORT;
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

/** Says what was thrown, if it has no message that is text. */
function describeThrown(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  const message = readProperty(Object(thrown), "message");
  if (typeof message === "string") return message;
  // The text of a function may throw, too.
  const what = Object(thrown) === thrown ? `an instance of ${classOf(thrown)}` : String(thrown);
  return `${what} was thrown`;
}
