import { decodeValue, encodeValue, toErrorValue, toJson } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { finished, started } from "./run-workflow.ts";

const ONCE = { retry: { max: 1 } } as const;

describe("values", () => {
  const shared = { n: 1 };
  const cyclic: { self?: unknown; list: unknown[] } = { list: [] };
  cyclic.self = cyclic;
  cyclic.list.push(cyclic, shared, shared);
  const value = {
    date: new Date(7),
    map: new Map<unknown, unknown>([["k", new Set([1, "2"])]]),
    big: 12345678901234567890n,
    bytes: Uint8Array.from([0, 255]),
    view: Uint8Array.from([9, 8, 7, 6]).subarray(1, 3),
    url: new URL("https://example.com/a?b=c"),
    error: Object.assign(new RangeError("inner"), { code: "X" }),
    undef: undefined,
    nan: Number.NaN,
    minusZero: -0,
    holes: [1, undefined, null],
    cyclic,
  };

  test("STEP5 a result is equal live and on replay: dates, maps, sets, big integers, bytes, URLs, errors, cycles", async () => {
    const seen: (typeof value)[] = [];
    const host = await started(async (ctx) => {
      seen.push(await ctx.step("a", () => value));
      await ctx.waitForSignal("s");
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(seen).toHaveLength(2);
    for (const copy of seen) {
      expect(copy).toEqual(value);
      expect(copy.cyclic.self).toBe(copy.cyclic);
      expect(copy.cyclic.list[1]).toBe(copy.cyclic.list[2]);
      expect(copy.error).toMatchObject({ name: "RangeError", message: "inner", code: "X" });
      expect(copy.view.buffer.byteLength).toBe(2);
      expect(Object.is(copy.minusZero, -0)).toBe(true);
    }
  });

  test("STEP5 a later change of a result does not change the journal", async () => {
    const host = await started(async (ctx) => {
      const result = await ctx.step("a", () => ({ n: 1 }));
      result.n += 1;
      await ctx.waitForSignal("s");
      return result.n;
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect(host.output).toBe(2);
  });

  class Account {}
  test.each([
    ["a function", { a: [() => 1] }, "a[0]"],
    ["a class instance", { account: new Account() }, "account"],
    ["a symbol", { s: Symbol("x") }, "s"],
  ])("STEP5 %s fails the step with UNSERIALIZABLE and the path, without a retry", async (_what, result, path) => {
    let bodies = 0;
    const host = await finished((ctx) => ctx.step("a", () => (bodies++, result as unknown)));
    expect(host.header.error).toMatchObject({ code: "UNSERIALIZABLE", step: "step/0/a" });
    expect(host.header.error?.message).toContain(`at ${path}:`);
    expect(bodies).toBe(1);
  });

  test("STEP5 a result of 10 MiB is accepted, and a larger one fails with TOO_LARGE and the limit", async () => {
    const host = await finished(async (ctx) => {
      const fits = await ctx.step("fits", () => "x".repeat(10 * 1024 * 1024 - 10));
      const error = await ctx
        .step("large", () => "x".repeat(20 * 1024 * 1024))
        .catch((caught: Error & { code: string }) => [caught.code, caught.message]);
      return [fits.length, error];
    });
    expect(host.output).toEqual([10_485_750, ["TOO_LARGE", expect.stringContaining("10485760")]]);
  });

  test.each([
    ["a function", () => (): number => 1, "UNSERIALIZABLE"],
    ["a string of 20 MB", () => "x".repeat(20_000_000), "TOO_LARGE"],
    ["a symbol deep inside", () => ({ a: [Symbol("s")] }), "UNSERIALIZABLE"],
    ["an instance of a class", () => new (class Order {})(), "UNSERIALIZABLE"],
  ])("STEP5 a step that returns %s fails with a code and a message that names the step", async (_what, body, code) => {
    const { header } = await finished((ctx) => ctx.step("bad", body));
    expect(header).toMatchObject({ status: "failed", error: { code } });
    expect(header.error?.message).toMatch(/step "bad"/);
  });

  test("STEP5 a cyclic object stays cyclic", async () => {
    const host = await finished(async (ctx) => {
      const cycle = await ctx.step("cycle", () => {
        const self: { self?: unknown } = {};
        self.self = self;
        return self;
      });
      return cycle.self === cycle;
    });
    expect(host.output).toBe(true);
  });

  test("STEP5 encoding rejects values that decoding could not read, because they are nested too deeply", () => {
    const nested = (levels: number): unknown => {
      let tree: unknown = 1;
      for (let i = 0; i < levels; i++) tree = i % 2 === 0 ? [tree] : { tree };
      return tree;
    };
    expect(decodeValue(encodeValue(nested(999), "it"))).toEqual(nested(999));
    expect(() => encodeValue(nested(1_002), "it")).toThrow(/nested too deeply/);
  });

  test("LIM1 the JSON of a small graph with many paths has a bounded size", () => {
    const people = Array.from({ length: 12 }, (_, i): Record<string, unknown> => ({ name: `p${i}` }));
    for (const one of people) one.friends = people.filter((other) => other !== one);
    const startedAt = performance.now();
    const shown = JSON.stringify(toJson(people));
    expect(shown.length).toBeLessThan(60_000_000);
    expect(shown).toContain("[cut: too large to show]");
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe("thrown values", () => {
  test("STEP3 a thrown string, undefined or hostile proxy becomes an error with a message", async () => {
    const hostile = new Proxy(new Error("trap"), {
      get() {
        throw new Error("caught in a trap");
      },
    });
    for (const thrown of ["text", undefined, null, 7, hostile]) {
      const { header } = await finished((ctx) => ctx.step("throws", ONCE, () => Promise.reject(thrown)));
      expect(header.status).toBe("failed");
      expect(header.error?.message.length).toBeGreaterThan(0);
    }
  });

  test.each([
    ["a message without a text form", { name: "E", message: Object.create(null) as unknown }],
    [
      "getters that throw",
      Object.defineProperty({ name: "E" }, "message", {
        get: () => {
          throw new Error("trap");
        },
      }),
    ],
    ["a revoked proxy", revoked()],
    ["an endless name", { name: "x".repeat(1_000_000), message: "m", code: "y".repeat(1_000_000) }],
  ])("STEP3 a thrown value with %s fails the step, and the process continues", async (_what, thrown) => {
    expect(JSON.stringify(toErrorValue(thrown)).length).toBeLessThan(6_000);
    const host = await finished((ctx) =>
      ctx.step("a", { retry: { max: 1 } }, () => {
        throw thrown;
      }),
    );
    expect(host.header.status).toBe("failed");
    const direct = await finished(() => Promise.reject(thrown));
    expect(direct.header.status).toBe("failed");
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
