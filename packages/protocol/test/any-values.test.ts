/** Values as user code makes them: what is encoded is read back equal, and what cannot be is refused with the path. */
import { runInNewContext } from "node:vm";
import { randomSeed } from "@holdfast/proof/output";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue, fromErrorValue, isSameValue, showValue, toErrorValue } from "../src/index.ts";

const copyOf = (value: unknown): unknown => decodeValue(encodeValue(value, "it"));

describe("errors in values", () => {
  test("STEP5 an error that is its own cause is read back as an error that is its own cause", () => {
    const error = new TypeError("x");
    error.cause = error;
    const copy = copyOf({ deep: [error] }) as { deep: [Error] };
    expect(copy.deep[0]).toBeInstanceOf(Error);
    expect([copy.deep[0].name, copy.deep[0].message]).toEqual(["TypeError", "x"]);
    expect(copy.deep[0].cause).toBe(copy.deep[0]);
    expect(showValue(encodeValue(error, "it"))).toMatchObject({ message: "x", cause: "[circular]" });
  });

  test("STEP5 a cycle through data, members, a map's key and a set stays a cycle", () => {
    const error = Object.assign(new AggregateError([], "m"), { data: new Map<unknown, unknown>() });
    error.errors.push(error, new Error("other", { cause: error }));
    error.data.set(error, new Set([error]));
    const copy = copyOf(error) as typeof error;
    expect(copy.errors[0]).toBe(copy);
    expect(copy.errors[1].cause).toBe(copy);
    expect([...copy.data.keys()]).toEqual([copy]);
    expect(copy.data.get(copy)).toEqual(new Set([copy]));
  });

  test("STEP5 own fields of an error that are plain data are kept; its stack, sockets and functions are not", () => {
    const error = Object.assign(new Error("m"), {
      status: 404,
      issues: [{ path: ["a"], at: new Date(5) }],
      stack: "at secret",
    });
    const withMore = Object.assign(error, {
      socket: new (class Socket {})(),
      retry: () => 1,
      map: { deep: new Map() },
    });
    const copy = copyOf(withMore) as typeof error;
    expect(Object.entries(copy)).toEqual([
      ["status", 404],
      ["issues", [{ path: ["a"], at: new Date(5) }]],
    ]);
    expect(encodeValue(error, "it")).not.toContain("secret");
    expect(copy.stack).toBe("Error: m");
  });

  test("STEP5 own fields of an error are kept whatever their names, and so are the errors of a SuppressedError", () => {
    const names = ["constructor", "toString", "valueOf", "hasOwnProperty"];
    const error = Object.assign(new Error("m"), Object.fromEntries(names.map((name) => [name, `own ${name}`])));
    expect(Object.entries(copyOf(error) as object)).toEqual(names.map((name) => [name, `own ${name}`]));
    const suppressed = new SuppressedError(new Error("in dispose"), new RangeError("in the body"), "both failed");
    for (const copy of [copyOf(suppressed), fromErrorValue(toErrorValue(suppressed))] as (typeof suppressed)[]) {
      expect(copy).toMatchObject({ name: "SuppressedError", message: "both failed" });
      expect([copy.error, copy.suppressed]).toMatchObject([{ message: "in dispose" }, { name: "RangeError" }]);
    }
    const failed = Object.assign(new Error("request failed"), { error: { type: "rate_limit" } });
    expect(Object.entries(copyOf(failed) as object)).toEqual([["error", { type: "rate_limit" }]]);
  });

  test("STEP5 an own field of an error that leads back to it stays a cycle", () => {
    const context: Record<string, unknown> = {};
    const error = Object.assign(new Error("m"), { context });
    context["error"] = error;
    const copy = copyOf(error) as typeof error;
    expect(copy.context["error"]).toBe(copy);
  });
});

describe("thrown errors", () => {
  test("STEP9 a thrown error keeps a numeric code, cause, members and own fields, and old rows still read", () => {
    const cause = Object.assign(new Error("duplicate key"), { code: 11_000 });
    const error = Object.assign(new AggregateError([new RangeError("r")], "m", { cause }), { code: 7, status: 409 });
    const value = toErrorValue(error);
    expect(value.code).toBe("7");
    const copy = fromErrorValue(value) as typeof error;
    expect(copy).toMatchObject({ code: 7, status: 409, message: "m", name: "AggregateError" });
    expect(copy.cause).toMatchObject({ code: 11_000, message: "duplicate key" });
    expect(copy.errors).toMatchObject([{ name: "RangeError", message: "r" }]);
    expect(fromErrorValue({ name: "E", message: "m", code: "7" })).toMatchObject({ code: "7" });
    expect(toErrorValue(Object.assign(new Error("m"), { code: "X" }))).not.toHaveProperty("original");
  });

  test("STEP9 a thrown error that is large, or that holds what has no encoding, keeps a smaller cause and members", () => {
    const cause = Object.assign(new Error("y".repeat(200_000)), { data: () => 1, code: 5 });
    const copy = fromErrorValue(toErrorValue(new AggregateError(Array(500).fill(cause), "m", { cause })));
    expect(copy.cause).toMatchObject({ code: 5, message: "y".repeat(1_024) });
    expect((copy as AggregateError).errors).toHaveLength(20);
    expect(JSON.stringify(toErrorValue(new AggregateError(Array(500).fill(cause)))).length).toBeLessThan(80_000);
  });

  test("STEP9 a thrown error that is its own cause is caught as an error that is its own cause", () => {
    const error = new Error("x");
    error.cause = error;
    const copy = fromErrorValue(toErrorValue(error));
    expect(copy.cause).toBe(copy);
  });
});

describe("views", () => {
  const buffer = new TextEncoder().encode("secret--visible---secret--------").buffer;
  const visible = new Uint8Array(buffer, 8, 8);
  const fill = <T extends ArrayBufferLike>(to: T): T => (new Uint8Array(to).set(new Uint8Array(buffer)), to);
  const resizable = (): ArrayBuffer => fill(new ArrayBuffer(buffer.byteLength, { maxByteLength: 1_000 }));
  const shared = (): SharedArrayBuffer => fill(new SharedArrayBuffer(buffer.byteLength));
  test.each([
    ["Uint8Array", visible],
    ["DataView", new DataView(buffer, 8, 8)],
    ["Float64Array", new Float64Array(buffer, 8, 1)],
    ["BigInt64Array", new BigInt64Array(buffer, 8, 1)],
    ["Uint16Array", new Uint16Array(buffer, 8, 4)],
    ["Uint8ClampedArray", new Uint8ClampedArray(buffer, 8, 8)],
    ["Uint8Array", Buffer.from(buffer, 8, 8)],
    ["Uint8Array", Buffer.from("visible-")],
    ["Uint8Array", new Uint8Array(resizable(), 8, 8)],
    ["DataView", new DataView(shared(), 8, 8)],
    ["BigUint64Array", new BigUint64Array(shared(), 8, 1)],
    ["Float32Array", new Float32Array(resizable(), 8, 2)],
    ["Int8Array", new Int8Array(buffer).subarray(8, 16)],
  ])("STEP5 only the bytes of a view are encoded, and its kind stays: %s", (kind, view) => {
    const text = encodeValue({ view }, "it");
    expect(text).not.toContain(Buffer.from("secret").toString("base64").slice(0, 6));
    expect(text.length).toBeLessThan(100);
    const { view: copy } = decodeValue(text) as { view: ArrayBufferView };
    expect(Object.prototype.toString.call(copy)).toBe(`[object ${kind}]`);
    expect(copy.buffer.byteLength).toBe(8);
    expect(new TextDecoder().decode(copy)).toMatch(/^visible/);
  });

  test("STEP5 a view of shared memory is encoded as its bytes", () => {
    expect(copyOf(new Uint8Array(new SharedArrayBuffer(2)))).toEqual(new Uint8Array(2));
  });
});

function raise(thrown: unknown): never {
  throw thrown;
}

describe("values that are refused", () => {
  const throws = (): never => {
    throw new Error("trap");
  };
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const detached = (): Uint8Array<ArrayBuffer> => {
    const view = new Uint8Array(2);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  };
  class Spoof {
    readonly #tag: string;
    constructor(tag: string) {
      this.#tag = tag;
    }
    get [Symbol.toStringTag](): string {
      return this.#tag;
    }
  }
  test.each([
    [
      "a getter that throws",
      { a: [Object.defineProperty({}, "b", { enumerable: true, get: throws })] },
      "at a[0].b: trap",
    ],
    ["a proxy that throws", { a: new Proxy({}, { get: throws, getPrototypeOf: throws, has: throws }) }, "at a: trap"],
    ["a proxy whose keys throw", { a: [new Proxy({}, { ownKeys: throws })] }, "at a[0]: trap"],
    ["a revoked proxy", { a: revoked() }, "at a:"],
    ...[new Map(), new Set(), new Date(0), new URL("https://a.b"), new URLSearchParams(), /x/, new ArrayBuffer(2)].map(
      (target): [string, unknown, string] => [
        `a proxy of a ${target.constructor.name}`,
        { a: new Map([["k", new Proxy<object>(target, {})]]) },
        'at a.get("k"):',
      ],
    ),
    ["a proxy of bytes", { a: new Proxy(new Uint8Array(2), {}) }, "at a:"],
    ["a map whose iterator throws", { a: Object.assign(new Map(), { [Symbol.iterator]: throws }) }, ": trap"],
    ["a detached buffer", { a: [detached().buffer] }, ": Cannot"],
    ["a view of a detached buffer", { a: [detached()] }, ": Cannot"],
    ["memory that is shared", { a: new SharedArrayBuffer(2) }, "at a:"],
    ["a symbol as a key", { a: { [Symbol("s")]: 1 } }, "at a:"],
    ["a boxed symbol", { a: Object(Symbol("s")) as unknown }, "at a:"],
    ["a key __proto__", { a: JSON.parse('{"__proto__":1}') as unknown }, "at a:"],
    ["an instance of a class", { a: [new Intl.NumberFormat(), 1] }, "at a[0]: Cannot encode a value of the kind Intl"],
    ["an object that inherits from a map", { a: Object.create(Map.prototype) as unknown }, "at a:"],
    [
      "an error whose getter throws",
      { a: Object.defineProperty(new Error("m"), "cause", { get: throws }) },
      "at a: trap",
    ],
    ...["Array", "Number", "URL", "Error", "Map", "ArrayBuffer", "Date"].map((tag): [string, unknown, string] => [
      `an object that says it is a ${tag}`,
      { a: new Spoof(tag) },
      "at a:",
    ]),
  ])("STEP5 %s is refused with UNSERIALIZABLE and the path", (_what, value, message) => {
    expect(() => encodeValue(value, "it")).toThrow(
      expect.objectContaining({ code: "UNSERIALIZABLE", message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ["nothing that has a text", Object.create(null) as unknown, "at a[0]: [unreadable]"],
    ["an error whose message is no text", Object.assign(new Error("m"), { message: 5 }), "at a[0]: [unreadable]"],
    ["a RangeError", new RangeError("Invalid time value"), "at a[0]: Invalid time value."],
  ])("STEP5 a getter that throws %s is refused with UNSERIALIZABLE and the path", (_what, thrown, message) => {
    const value = { a: [new Proxy({ b: 1 }, { ownKeys: () => raise(thrown) })] };
    expect(() => encodeValue(value, "it")).toThrow(
      expect.objectContaining({ code: "UNSERIALIZABLE", message: expect.stringContaining(message) }),
    );
  });

  test("STEP5 a list whose parts lead from one to the next is read back, or is refused on every stack", () => {
    const errors = Array.from({ length: 600 }, () => new Error("e"));
    for (const [at, error] of errors.entries()) error.cause = errors[at + 1];
    expect(() => encodeValue(errors, "it")).toThrow(/nested too deeply/);
    expect(copyOf(errors.slice(300))).toHaveLength(300);
    const nodes = Array.from({ length: 3_000 }, (): unknown[] => []);
    for (const [at, node] of nodes.entries()) node.push(nodes[at + 1]);
    expect(() => encodeValue(nodes, "it")).toThrow(/nested too deeply/);
    expect(copyOf(nodes.slice(2_010))).toHaveLength(990);
    // Back to front, each part is found before another one leads to it.
    expect(copyOf(nodes.toReversed())).toHaveLength(3_000);
  });

  test("STEP5 a chain of causes that is nested too deeply is refused", () => {
    let error = new Error("0");
    for (let i = 0; i < 2_000; i++) error = new Error(String(i), { cause: error });
    expect(() => encodeValue(error, "it")).toThrow(/nested too deeply/);
  });
});

describe("arbitrary values", () => {
  const KINDS = [
    DataView,
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  const views = fc
    .tuple(fc.uint8Array({ minLength: 24, maxLength: 24 }), fc.constantFrom(0, 8), fc.constantFrom(...KINDS, null))
    .map(([{ buffer }, at, Kind]) => {
      if (Kind === null) return buffer.slice(at, at + 4);
      const length = Kind === DataView ? 8 : 8 / ("BYTES_PER_ELEMENT" in Kind ? Kind.BYTES_PER_ELEMENT : 1);
      return Reflect.construct(Kind, [buffer, at, length]) as unknown;
    });
  class OwnMap extends Map<unknown, unknown> {}
  class OwnError extends RangeError {
    readonly status = 5;
  }
  /** Values that no generator of fast-check makes. */
  const odd = fc.constantFrom<(() => unknown)[]>(
    () => new Date(NaN),
    () => -0,
    () => Symbol("s"),
    () => () => 1,
    () => Object.assign(Object.create(null) as object, { a: NaN }),
    () => Object.defineProperty({}, "a", { enumerable: true, get: () => new Set([1]) }),
    () => Object.defineProperty({}, "a", { enumerable: true, get: () => JSON.parse("{") as unknown }),
    () => new OwnMap([[1, 2]]),
    () => new OwnError("own"),
    () => new Proxy({ a: 1 }, {}),
    () => new Proxy([1, 2], {}),
    () => [new Proxy(new Map(), {})],
    () => new Proxy(new Uint8Array(1), {}),
    () => new URL("https://a.example/?b=1"),
    () => new URLSearchParams("a=1&a=2"),
    () => Array.from({ length: 400 }).reduce<unknown>((inner) => [inner], 1),
    () => Array.from({ length: 600 }).reduce<unknown>((inner) => new Set([inner]), 1),
  );
  const leaf = fc.oneof(
    fc.anything({
      maxDepth: 1,
      withDate: true,
      withMap: true,
      withSet: true,
      withBigInt: true,
      withBoxedValues: true,
      withSparseArray: true,
    }),
    views,
    odd.map((make) => make()),
    fc
      .constantFrom("[new Map([[1, { a: 1 }]]), new Set([2]), { b: [3] }, new Date(5)]", "new RangeError('x')")
      .map((code): unknown => runInNewContext(code)),
  );
  /** Builds containers, and then closes cycles from each container to any other. */
  const value = fc
    .tuple(
      fc.array(leaf, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(5), fc.nat()), { maxLength: 12 }),
    )
    .map(([leaves, links]) => {
      const all: unknown[] = [...leaves];
      const at = (n: number): unknown => all[n % all.length];
      for (const [a, kind, b] of links) {
        all.push(
          kind === 0
            ? { a: at(a), b: at(b) }
            : kind === 1
              ? Object.assign([at(a)], { 2: at(b) })
              : kind === 2
                ? new Map([[at(a), at(b)]])
                : kind === 3
                  ? new Set([at(a), at(b)])
                  : kind === 4
                    ? Object.assign(new Error("m", { cause: at(a) }), { data: at(b), status: 1 })
                    : new AggregateError([at(a)], "m"),
        );
        const target = at(b);
        const last: unknown = all.at(-1);
        if (target instanceof Error) target.cause = last;
        else if (target instanceof Map && Object.prototype.toString.call(target) === "[object Map]")
          target.set("cycle", last);
        else if (target instanceof Set) target.add(last);
      }
      return all.at(-1);
    });

  test("STEP5 what is encoded is read back equal and can be shown, and what is not is refused (property)", () => {
    fc.assert(
      fc.property(value, (given) => {
        let text: string;
        try {
          text = encodeValue(given, "it");
        } catch (error) {
          const named = expect.stringMatching(/cannot be encoded( at .+)?: ./);
          expect(error).toMatchObject({ code: "UNSERIALIZABLE", message: named });
          return;
        }
        const copy = decodeValue(text);
        expect(isEqualCopy(given, copy)).toBe(true);
        expect(isSameValue(text, encodeValue(copy, "it"))).toBe(true);
        expect(JSON.stringify(showValue(text))).not.toContain("[unreadable]");
      }),
      { numRuns: 500, seed: randomSeed() },
    );
  });
});

/** Whether a copy has the built-in kind and the content of the original, with its cycles and repeated references. */
function isEqualCopy(a: unknown, b: unknown, known = new Map<unknown, unknown>()): boolean {
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) return Object.is(a, b);
  if (known.has(a)) return known.get(a) === b;
  known.set(a, b);
  const [kind, other] = [a, b].map((value) => Object.prototype.toString.call(value));
  if (kind !== other) return false;
  const [left, right] = [contentOf(a), contentOf(b)];
  return left.length === right.length && left.every((part, index) => isEqualCopy(part, right[index], known));
}

function contentOf(value: object): unknown[] {
  if (ArrayBuffer.isView(value)) return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  switch (Object.prototype.toString.call(value).slice(8, -1)) {
    case "ArrayBuffer":
      return [...new Uint8Array(value as ArrayBuffer)];
    case "Map":
      return [...(value as Map<unknown, unknown>)].flat();
    case "Set":
      return [...(value as Set<unknown>)];
    case "Date":
      return [(value as Date).getTime()];
    case "URL":
    case "URLSearchParams":
      return [(value as URL | URLSearchParams).toString()];
    case "Number":
    case "String":
    case "Boolean":
    case "BigInt":
      return [value.valueOf()];
    case "Error": {
      const { name, message, cause, errors, ...fields } = value as AggregateError;
      return [
        name,
        message,
        value instanceof Error ? cause : undefined,
        errors,
        ...Object.entries(fields)
          .filter(([, field]) => field !== undefined)
          .flat(),
      ];
    }
    default:
      return [...(Array.isArray(value) ? [value.length] : []), ...Object.entries(value).flat()];
  }
}
