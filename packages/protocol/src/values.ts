/**
 * The values codec: the values that a step may return, and their encoding (STEP5).
 *
 * Owns: `EncodedValue`, the only form in which values are journaled and sent, so a value is equal live, on replay and with
 * each dispatcher. The codec is devalue's. This file adds errors, exact views, limits, and messages that name the path.
 * `encodeValue` accepts a value only if `decodeValue` returns an equal copy: of the built-in kind, with the same content.
 */
import { DevalueError, parse, stringify } from "devalue";
import { errorParts, isError, isMap, isSet, reviveError, tagOf } from "./error-parts.ts";
import { HoldfastError } from "./errors.ts";
import { isEnveloped, schemeOf } from "./envelope.ts";
import * as LIMITS from "./author-limits.ts";

/** A value as text: devalue's format, with `Error` and `Bytes` added. */
export type EncodedValue = string;

/** The text of `undefined`. */
export const ENCODED_UNDEFINED: EncodedValue = "-1";

/**
 * Encodes a value. `what` names it in messages.
 * @throws HoldfastError `UNSERIALIZABLE` with the path of the part that cannot be encoded, `TOO_LARGE` with the limit.
 */
export function encodeValue(value: unknown, what: string): EncodedValue {
  if (value === undefined) return ENCODED_UNDEFINED;
  let text: string;
  try {
    if (isDeep(value)) throw new Error(`it is nested too deeply, over ${LIMITS.valueDepth} levels`);
    text = stringify(value, REDUCERS, OPERATIONS);
  } catch (error) {
    throw new HoldfastError("UNSERIALIZABLE", unserializableMessage(error, what));
  }
  if (text.length > LIMITS.valueChars) {
    throw new HoldfastError(
      "TOO_LARGE",
      `${what} takes ${text.length} characters when encoded; the limit is ${LIMITS.valueChars} (10 MiB). Keep large data elsewhere (an object store, a database) and return a reference to it.`,
    );
  }
  return text;
}

/**
 * Whether the codec goes through more levels than LIMITS.valueDepth. It follows a part where it finds it first, so a list of
 * objects that lead to each other has as many levels as objects. No depth overflows the stack here.
 */
function isDeep(value: unknown): boolean {
  const seen = new Set<unknown>();
  const path = [[value].values()];
  for (let last = path[0]; last !== undefined; last = path.at(-1)) {
    const { done, value: part } = last.next();
    if (done === true) path.pop();
    else if (typeof part === "object" && part !== null && !seen.has(part)) {
      seen.add(part);
      if (path.push([childrenOf(part)].flat().values()) > LIMITS.valueDepth + 1) return true;
    }
  }
  return false;
}

/** A part that cannot be read counts as none: encoding meets the same failure, and knows the path. */
function childrenOf(value: object): unknown {
  return attempt(() => {
    // Not the array itself: a list of a few characters may have four thousand million empty places.
    if (["Object", "Array"].includes(tagOf(value))) return Object.values(value);
    if (isMap(value)) return [...value].flat();
    if (isSet(value)) return [...value];
    // The levels that an error has as text.
    return isError(value) ? [[errorParts(value)]] : [];
  });
}

/**
 * Decodes a value. The text must be a result of `encodeValue`. Each call returns a new copy.
 * @throws HoldfastError `NEWER_FORMAT` if the value is in an envelope. Any other text throws what the codec throws.
 */
export function decodeValue(text: EncodedValue): unknown {
  if (isEnveloped(text)) throw new HoldfastError("NEWER_FORMAT", `unknown encoding ${schemeOf(text)}`);
  return text === ENCODED_UNDEFINED ? undefined : parse(text, REVIVERS);
}

/** What stands for a stored value that does not decode. */
export const UNREADABLE = "[unreadable]";

/**
 * Decodes a stored value, for code that must not fail because of it. A text that does not decode is `UNREADABLE`.
 * @throws HoldfastError `NEWER_FORMAT` if the value is in an envelope.
 */
export function decodeOrUnreadable(text: EncodedValue): unknown {
  if (isEnveloped(text)) return decodeValue(text);
  const value = attempt(() => decodeValue(text));
  return value === REFUSED ? UNREADABLE : value;
}

/**
 * Whether two encoded values are equal, apart from the order of keys in objects. A value that does not decode equals only
 * the same text.
 */
export function isSameValue(a: EncodedValue, b: EncodedValue): boolean {
  if (a === b) return true;
  const [left, right] = [a, b].map((text) => attempt(() => encodeValue(sortKeys(decodeValue(text)), "value")));
  return left === right && left !== REFUSED;
}

/** A copy with sorted keys. Cycles, repeated references and empty places stay as they are. */
function sortKeys(value: unknown, copies = new Map<unknown, unknown>()): unknown {
  if (typeof value !== "object" || value === null || !(Array.isArray(value) || tagOf(value) === "Object")) return value;
  if (copies.has(value)) return copies.get(value);
  // The copy of an array keeps the array's empty places.
  const keys = Array.isArray(value) ? Object.keys(value) : Object.keys(value).toSorted();
  const copy: object = Array.isArray(value) ? [] : {};
  if (Array.isArray(copy) && Array.isArray(value) && keys.length < value.length) {
    // An index beyond all others makes V8 allocate nothing for the empty places.
    copy[4_294_967_294] = 0;
    copy.length = value.length;
  }
  copies.set(value, copy);
  for (const key of keys) Reflect.set(copy, key, sortKeys(Reflect.get(value, key), copies));
  return copy;
}

/** What the reducers return for a value that cannot be encoded: the codec refuses a symbol, and names its path. */
const REFUSED = Symbol("refused");

/** Why the last value was refused. Encoding is synchronous. */
let reason: unknown;

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    reason = error;
    return REFUSED;
  }
}

const OPERATIONS = {
  operations: {
    get: (object: object, key: PropertyKey): unknown => attempt(() => Reflect.get(object, key)),
    // A view into a larger buffer is copied, because the rest of the buffer may contain other data.
    viewInfo: ({ buffer, byteOffset, byteLength }: ArrayBufferView) => ({
      buffer:
        byteLength === buffer.byteLength && tagOf(buffer) === "ArrayBuffer"
          ? buffer
          : new Uint8Array(buffer, byteOffset, byteLength).slice().buffer,
      byteOffset: 0,
      byteLength,
      length: byteLength,
      bufferByteLength: byteLength,
    }),
  },
};

/** What the reduction throws refuses the value. */
const REDUCERS: Record<string, (value: unknown) => unknown> = {
  Error: (value) =>
    attempt(() => {
      if (typeof value !== "object" || value === null) return undefined;
      checkKind(value);
      return isError(value) ? [errorParts(value)] : undefined;
    }),
};

/** Refuses an object that only claims its type: the codec would write what nothing reads. */
function checkKind(value: object): void {
  // The keys of a proxy may throw; those of an array take long.
  if (!Array.isArray(value)) Reflect.ownKeys(value);
  if (value instanceof Error || !Reflect.has(value, Symbol.toStringTag)) return;
  const tag = tagOf(value);
  let owner: object | null = value;
  while (owner !== null && Reflect.get(owner, "constructor")?.name !== tag) owner = Reflect.getPrototypeOf(owner);
  if (owner === null) throw new TypeError(`Cannot encode a value of the kind ${tag}`);
  // Each throws if the object is a proxy, or only inherits from the built-in class.
  for (const key of ["size", "byteLength", "href"]) Reflect.get(value, key);
}

const REVIVERS: NonNullable<Parameters<typeof parse>[1]> = {
  Error: reviveError,
  // Earlier builds wrote the copy of a view so.
  Bytes: ([bytes]) => bytes,
};

function unserializableMessage(error: unknown, what: string): string {
  const { path, value } = error instanceof DevalueError ? error : { path: "", value: error };
  const cause: unknown = value === REFUSED ? reason : error;
  // What reading the value threw may be anything, too.
  const why = attempt(() =>
    cause instanceof Error
      ? cause.message
          .replace("arbitrary non-POJOs", () => `an instance of ${classOf(value)}`)
          .replace(/ — .*/, ": await it")
      : String(cause),
  );
  return `${what} cannot be encoded${path && ` at ${path.replace(/^\./, "")}`}: ${String(why === REFUSED ? UNREADABLE : why)}. Return plain data: objects, arrays, strings, numbers, Date, Map, Set, BigInt, Uint8Array, URL, Error.`;
}

/** The name of a value's class. */
export function classOf(value: unknown): string {
  const name = attempt(() => Reflect.get(Object(value), "constructor")?.name);
  return (typeof name === "string" && name) || "a class";
}
