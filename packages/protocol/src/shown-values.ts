/**
 * Values as the HTTP API shows them: plain JSON.
 *
 * Owns: the form of each kind of value, and the budget. Showing takes time in proportion to what is stored, and never
 * fails: a stored text that no decoder reads is shown as "[unreadable]".
 */
import type { ShownError } from "./api.ts";
import { isDate } from "./durations.ts";
import { errorParts, isError, isMap, isSet, readProperty, tagOf } from "./error-parts.ts";
import type { ErrorValue } from "./errors.ts";
import { isEnveloped, schemeOf } from "./envelope.ts";
import { HOST_LIMITS } from "./limits.ts";
import { type EncodedValue, UNREADABLE, decodeValue, encodeValue } from "./values.ts";

const JSON_DEPTH_MAX = 200;

/** What may be shown. Several values may share a budget. */
export interface JsonBudget {
  /** The number of characters that may still be shown. */
  chars: number;
  /** Show the stacks of errors: the reader has the scope `operate` (SEC4). */
  readonly stacks?: boolean;
}

/** Shown in place of a part that exceeds the budget. */
const CUT = "[cut: too large to show]";

/** More empty places in a row than this are shown as one text. */
const HOLES_MAX = 100;

/**
 * Converts a value to plain JSON for the HTTP API. Dates become ISO strings, maps lists of pairs, big integers strings,
 * typed arrays lists of numbers, other bytes base64. Parts beyond the budget are cut: a small graph of objects may have
 * very many paths.
 */
export function toJson(value: unknown, budget: JsonBudget = { chars: HOST_LIMITS.jsonChars }): unknown {
  return new Showing(budget).show(value);
}

/** Converts an encoded value to plain JSON for the HTTP API. Shows only the scheme of a value in an envelope. */
export function showValue(text: EncodedValue, budget?: JsonBudget): unknown {
  if (isEnveloped(text)) return `[encoded as ${schemeOf(text)}]`;
  try {
    return toJson(decodeValue(text), budget);
  } catch {
    return UNREADABLE;
  }
}

/** The message of an error as lists and pages show it: an error without one is shown by its name. */
export function shownMessage({ name, message }: Pick<ErrorValue, "message"> & Partial<ErrorValue>): string {
  return message.trim() === "" ? `${name || "Error"} without a message` : message;
}

/** Converts an error for the HTTP API. Its code is as it was. Its stack is shown to operators only (SEC4). */
export function errorToJson(error: ErrorValue, budget?: JsonBudget): ShownError {
  const { data, original, stack, ...rest } = error;
  const whole = original === undefined ? undefined : showValue(original, budget);
  const code = readProperty(Object(whole), "code");
  if (budget?.stacks === true) budget.chars -= stack?.length ?? 0;
  return {
    ...(typeof whole === "object" ? whole : {}),
    ...rest,
    message: shownMessage(error),
    ...(typeof code === "number" ? { code } : {}),
    ...(data === undefined ? {} : { data: showValue(data, budget) }),
    ...(budget?.stacks === true && stack !== undefined ? { stack } : {}),
  };
}

/** What a part was shown as, and the number of ancestors that it had. */
interface Known {
  readonly shown: unknown;
  readonly chars: number;
  readonly depth: number;
}

/** Shows one value. A part that occurs again is not converted again, so that a graph with many paths takes no longer. */
class Showing {
  readonly #budget: JsonBudget;
  readonly #ancestors = new Set<object>();
  readonly #known = new Map<object, Known>();
  /** The number of parts that were shown as they are at one place only. */
  #placed = 0;
  readonly #part = (part: unknown): unknown => this.show(part);

  constructor(budget: JsonBudget) {
    this.#budget = budget;
  }

  show(value: unknown): unknown {
    const budget = this.#budget;
    if (typeof value !== "object" || value === null) return showPrimitive(value, budget);
    const { chars } = budget;
    if (chars <= 0) return CUT;
    const depth = this.#ancestors.size;
    const known = this.#known.get(value);
    // Deeper than before, a part of it may be too deep.
    if (known !== undefined && depth <= known.depth && known.chars < chars) {
      budget.chars -= known.chars;
      return known.shown;
    }
    budget.chars -= 8;
    if (this.#ancestors.has(value)) return this.#placedText("[circular]");
    if (depth >= JSON_DEPTH_MAX) return this.#placedText("[nested too deeply to show]");
    const placed = this.#placed;
    this.#ancestors.add(value);
    const shown = showObject(value, budget, this.#part);
    this.#ancestors.delete(value);
    if (budget.chars > 0 && placed === this.#placed) {
      this.#known.set(value, { shown, chars: chars - budget.chars, depth });
    }
    return shown;
  }

  #placedText(text: string): string {
    this.#placed += 1;
    return text;
  }
}

function showObject(value: object, budget: JsonBudget, showPart: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) return showArray(value, budget, showPart);
  if (ArrayBuffer.isView(value) || isBuffer(value)) return showBytes(value, budget, showPart);
  if (isMap(value) || isSet(value)) return showList(value, budget, showPart);
  if (tagOf(value) === "Object") return showFields(value, budget, showPart);
  return isError(value) ? showFields(errorFields(value), budget, showPart) : showPart(textOf(value));
}

function showList(items: Iterable<unknown>, budget: JsonBudget, showPart: (item: unknown) => unknown): unknown[] {
  const shown: unknown[] = [];
  for (const item of items) {
    shown.push(showPart(item));
    if (budget.chars > 0) continue;
    if (shown.at(-1) !== CUT) shown.push(CUT);
    break;
  }
  return shown;
}

/** An array's empty places are `null`, or one text for many in a row. */
function showArray(value: unknown[], budget: JsonBudget, showPart: (item: unknown) => unknown): unknown[] {
  return showList(itemsOf(value), budget, showPart);
}

function* itemsOf(value: unknown[]): Iterable<unknown> {
  const keys = Object.keys(value);
  if (keys.length === value.length) return yield* value;
  let next = 0;
  for (const key of [...keys.map(Number), value.length]) {
    if (key - next > HOLES_MAX) yield `[${key - next} empty places]`;
    else for (; next < key; next++) yield null;
    if (key < value.length) yield value[key];
    next = key + 1;
  }
}

/** Typed arrays are lists of their numbers. A buffer and a DataView have no numbers, so they are base64. */
function showBytes(
  value: ArrayBufferView | ArrayBuffer,
  budget: JsonBudget,
  showPart: (item: unknown) => unknown,
): unknown {
  if (isTypedArray(value)) return showList(value, budget, showPart);
  const bytes = isBuffer(value)
    ? new Uint8Array(value)
    : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length > budget.chars) {
    budget.chars = 0;
    return CUT;
  }
  return showPart(toBase64(bytes));
}

function isBuffer(value: object): value is ArrayBuffer {
  return tagOf(value) === "ArrayBuffer";
}

function isTypedArray(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && tagOf(value) !== "DataView";
}

/** The codec writes a buffer as base64: `[["ArrayBuffer","…"]]`. */
function toBase64(bytes: Uint8Array): unknown {
  const text = encodeValue(bytes.slice().buffer, "bytes");
  return text.slice(text.indexOf(',"') + 2, -3);
}

function showFields(value: object, budget: JsonBudget, showPart: (item: unknown) => unknown): Record<string, unknown> {
  const shown: [string, unknown][] = [];
  for (const [key, part] of Object.entries(value)) {
    if (part === undefined) continue;
    const cut = budget.chars <= 0;
    budget.chars -= key.length;
    shown.push([key, cut ? CUT : showPart(part)]);
    if (cut) break;
  }
  return Object.fromEntries(shown);
}

/** The own fields of an error have a place of their own, so that none hides what the API says. */
function errorFields(error: Error): Record<string, unknown> {
  const { name, message, code, data, cause, errors, ...fields } = errorParts(error);
  return { name, message, code, data, cause, errors, fields: Object.keys(fields).length === 0 ? undefined : fields };
}

/** What has no parts: dates, URLs, patterns, boxed primitives and the like. */
function textOf(value: object): unknown {
  if (isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  switch (tagOf(value)) {
    case "RegExp":
      return readProperty(value, "source");
    case "Number":
    case "Boolean":
    case "BigInt":
    case "String":
      return value.valueOf();
    default:
      // oxlint-disable-next-line typescript/no-base-to-string -- URLs and the like have a text form
      return String(value);
  }
}

function showPrimitive(value: unknown, budget: JsonBudget): unknown {
  const text = typeof value === "bigint" ? value.toString() : value;
  if (typeof text === "string") {
    budget.chars -= text.length;
    return budget.chars < 0 ? CUT : text;
  }
  if (typeof text === "number" && Number.isFinite(text)) {
    // With the comma.
    budget.chars -= String(text).length + 1;
    return text;
  }
  budget.chars -= 5;
  return typeof text === "number" ? null : (text ?? null);
}
