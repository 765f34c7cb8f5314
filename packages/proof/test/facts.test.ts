import { LIMITS, decodeValue } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { type MemoryHost } from "@holdfast/workflows/testing";
import { finished, outcomeOf, started } from "./run-workflow.ts";

const metadataOf = (host: MemoryHost): unknown =>
  Object.fromEntries(host.header.metadata.map(([key, value]) => [key, decodeValue(value)]));

/** The chunks of a run's first stream, newest generation. */
function chunksOf(host: MemoryHost): unknown[] {
  const generation = host.header.streams[0]?.generation;
  return [...host.store.list(`chunk/0/${generation}/`)].flatMap(([, row]) =>
    (row as { chunks: string[] }).chunks.map(decodeValue),
  );
}

describe("metadata", () => {
  test("META1 set, increment, append and remove apply exactly once, wherever the run crashes, and are readable meanwhile", async () => {
    const body = async (ctx: Parameters<Parameters<typeof started>[0]>[0]): Promise<void> => {
      ctx.metadata.set("phase", "begin");
      ctx.metadata.increment("count");
      await ctx.step("a", () => 1);
      ctx.metadata.increment("count", 2.5);
      ctx.metadata.append("list", { at: new Date(0) });
      ctx.metadata.append("list", 2);
      await ctx.sleep("1m");
      ctx.metadata.set("__proto__", 1);
      ctx.metadata.remove("phase");
    };
    const expected = { count: 3.5, list: [{ at: new Date(0) }, 2], ["__proto__"]: 1 };
    const { commits } = (await finished(body)).store.counts;
    for (let at = 0; at <= commits; at++) {
      const host = await started(body, { crashAfterCommits: [at] });
      await host.advance(30_000);
      expect([at, metadataOf(host)]).toMatchObject([at, { phase: "begin", count: 3.5 }]);
      await host.advance();
      expect([at, host.header.status, Object.entries(metadataOf(host) as object)]).toEqual([
        at,
        "completed",
        Object.entries(expected),
      ]);
    }
  });

  test("META1 metadata that grows in a loop is refused at its limit, where it is asked for", async () => {
    const host = await finished(async (ctx) => {
      for (let i = 0; ; i++) {
        ctx.metadata.append("list", String(i).repeat(50));
        if (i % 50 === 0) await ctx.step("turn", () => i);
      }
    });
    expect(host.header).toMatchObject({
      status: "failed",
      error: { code: "LIMIT_EXCEEDED", message: expect.stringContaining(String(LIMITS.metadataChars)) },
    });
  });
});

describe("streams", () => {
  test("STR1 chunks are stored in order and numbered; a stream that ended is not produced again", async () => {
    let produced = 0;
    const host = await started(async (ctx) => {
      const count = await ctx.stream("words", async function* () {
        produced += 1;
        for (const word of ["to", "be", "or"]) yield word;
      });
      await ctx.waitForSignal("s");
      return count;
    });
    host.crash();
    host.deliver("signal", "s");
    await host.advance();
    expect([host.output, produced, chunksOf(host)]).toEqual([3, 1, ["to", "be", "or"]]);
    expect(host.header.streams).toEqual([{ op: "stream/0/words", generation: 1, chunks: 3 }]);
  });

  test("STR1 a stream that was cut short is produced again under a new generation, from a crash behind any write", async () => {
    const body = (ctx: Parameters<Parameters<typeof started>[0]>[0]): Promise<number> =>
      ctx.stream.json("n", () => [1, 2, 3, 4]);
    const { commits } = (await finished(body)).store.counts;
    let regenerated = 0;
    for (let at = 0; at <= commits; at++) {
      const host = await finished(body, { crashAfterCommits: [at] });
      expect([at, host.output, chunksOf(host)]).toEqual([at, 4, [1, 2, 3, 4]]);
      if ((host.header.streams[0]?.generation ?? 0) > 1) regenerated += 1;
    }
    expect(regenerated).toBeGreaterThan(2);
  });

  test("STR1 a source that fails is tried again as a whole, and text and bytes come back as they were", async () => {
    let tries = 0;
    const host = await finished(async (ctx) => {
      await ctx.stream.text("t", async function* () {
        tries += 1;
        yield "a";
        if (tries < 2) throw new Error("cut");
        yield "b";
      });
      return ctx.stream.bytes("b", [Uint8Array.of(1, 2)]);
    });
    expect(chunksOf(host)).toEqual(["a", "b"]);
    expect([host.output, host.header.streams.map((stream) => stream.generation)]).toEqual([1, [2, 1]]);
  });

  test("STR1 two streams of one id are refused, and so is a chunk over the limit", async () => {
    const twice = await finished((ctx) => Promise.all([ctx.stream.text("t", "a"), ctx.stream.text("t", "b")]));
    expect(twice.header.error).toMatchObject({ code: "INVALID_ARGUMENT" });
    const large = await finished((ctx) => ctx.stream.text("t", "x".repeat(LIMITS.chunkChars)));
    expect(large.header.error).toMatchObject({ code: "TOO_LARGE" });
  });
});

describe("composition", () => {
  test("REP2 ctx.parallel keeps the items' order and runs a bounded number at one time", async () => {
    let running = 0;
    let most = 0;
    const host = await finished((ctx) =>
      ctx.parallel(
        [30, 10, 20, 0],
        (ms, index) =>
          ctx.step("work", async () => {
            most = Math.max(most, ++running);
            await new Promise((resolve) => setTimeout(resolve, ms));
            running -= 1;
            return `${index}:${ms}`;
          }),
        { concurrency: 2 },
      ),
    );
    await expect.poll(() => host.header.status).toBe("completed");
    expect([host.output, most]).toEqual([["0:30", "1:10", "2:20", "3:0"], 2]);
  });

  test("STEP6 ctx.parallel with settle waits for all and throws one error with the failed indices", async () => {
    const done: number[] = [];
    const host = await finished((ctx) =>
      ctx
        .parallel(
          [0, 1, 2, 3],
          (n) =>
            ctx.step("work", { retry: { max: 1 } }, () => {
              if (n % 2 === 1) throw new Error(`no ${n}`);
              done.push(n);
            }),
          { settle: true },
        )
        .catch((error: AggregateError & { failed: number[] }) => [
          error.name,
          error.failed,
          error.errors.map((one: Error) => one.message),
        ]),
    );
    expect([host.output, done]).toEqual([
      ["AggregateError", [1, 3], ["no 1", "no 3"]],
      [0, 2],
    ]);
  });

  test("STEP2 ctx.setRetry is the default policy from there on", async () => {
    let bodies = 0;
    const host = await finished((ctx) => {
      ctx.setRetry({ max: 7, initial: 1 });
      return ctx.step("a", () => Promise.reject(new Error(String(++bodies))));
    });
    expect([outcomeOf(host).error, bodies]).toEqual(["7", 7]);
  });

  test("WAIT6 match selects by the payload; a delivery that no wait matches stays kept for a later one", async () => {
    const host = await started(async (ctx) => [
      await ctx.waitForEvent("paid", { match: { order: { id: "o-2" } } }),
      await ctx.waitForEvent("paid"),
      await ctx.waitForEvent("paid", { match: { amount: 5 }, timeout: "1s" }),
    ]);
    const paid = (id: string): object => ({ order: { id, cents: 1 }, amount: 1 });
    expect(host.deliver("event", "paid", paid("o-1"))).toMatchObject({ delivery: "buffered" });
    host.crash();
    expect(host.deliver("event", "paid", "o-2")).toMatchObject({ delivery: "buffered" });
    expect(host.deliver("event", "paid", paid("o-2"))).toMatchObject({ delivery: "resolved" });
    await host.advance();
    expect(host.output).toEqual([paid("o-2"), paid("o-1"), null]);
    expect(host.header.inbox.count).toBe(1);
  });

  test("WAIT6 a function is refused as a pattern, with the reason", async () => {
    const host = await finished((ctx) => ctx.waitForEvent("paid", { match: () => true }));
    expect(host.header.error).toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining("pattern") });
  });
});
