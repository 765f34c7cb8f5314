import { LIMITS, decodeValue } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { type MemoryHost } from "@holdfast/workflows/testing";
import { finished, started } from "./run-workflow.ts";

const metadataOf = (host: MemoryHost): unknown =>
  Object.fromEntries(host.header.metadata.map(([key, value]) => [key, decodeValue(value)]));

/** Returns the chunks of the newest generation of a run's first stream. */
function chunksOf(host: MemoryHost): unknown[] {
  const generation = host.header.streams[0]?.generation;
  return [...host.store.list(`chunk/0/${generation}/`)].flatMap(([, row]) =>
    (row as { chunks: string[] }).chunks.map(decodeValue),
  );
}

describe("metadata", () => {
  test("META1 set, increment, append and remove are applied exactly once after a crash at any write, and are readable while the run waits", async () => {
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

  test("META1 metadata that exceeds its limit rejects the call that exceeds it", async () => {
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
  test("STR1 chunks are numbered and stored in order, and a stream that has ended is not produced again", async () => {
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

  test("STR1 an interrupted stream is produced again under a new generation, after a crash at any write", async () => {
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

  test("STR1 a source that fails is retried from its start, and text and bytes keep their values", async () => {
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

  test("STR1 a second stream with the same id and a chunk over the limit are rejected", async () => {
    const twice = await finished((ctx) => Promise.all([ctx.stream.text("t", "a"), ctx.stream.text("t", "b")]));
    expect(twice.header.error).toMatchObject({ code: "INVALID_ARGUMENT" });
    const large = await finished((ctx) => ctx.stream.text("t", "x".repeat(LIMITS.chunkChars)));
    expect(large.header.error).toMatchObject({ code: "TOO_LARGE" });
  });

  test("STR1 a source that can be read once has one attempt, and is read from its start after a crash at any write", async () => {
    const failing = await finished((ctx) =>
      ctx.stream.text(
        "t",
        (async function* () {
          yield "a";
          throw new Error("cut");
        })(),
      ),
    );
    expect(failing.header).toMatchObject({ status: "failed", error: { message: "cut" } });
    const body = (ctx: Parameters<Parameters<typeof started>[0]>[0]): Promise<number> =>
      ctx.stream.json("n", [1, 2, 3].values());
    const { commits } = (await finished(body)).store.counts;
    for (let at = 0; at <= commits; at++) {
      const host = await finished(body, { crashAfterCommits: [at] });
      expect([at, host.output, chunksOf(host)]).toEqual([at, 3, [1, 2, 3]]);
    }
  });

  test.each<[string, (stream: never) => Promise<number>, string]>([
    ["a number", (stream: Loose) => stream("s", 5), "needs a function"],
    ["null", (stream: Loose) => stream.json("s", null), "needs a function"],
    ["nothing", (stream: Loose) => stream("s"), "needs a function"],
    ["an object", (stream: Loose) => stream.json("s", { a: 1 }), "needs a function"],
    ["a response", (stream: Loose) => stream.text("s", new Response("a")), "needs a function"],
    ["a function without a result", (stream: Loose) => stream("s", () => {}), "needs a function"],
    ["a promise of chunks", (stream: Loose) => stream("s", async () => ["a"]), "needs a function"],
    ["a number as text", (stream: Loose) => stream.text("s", ["a", 1]), "must be a string"],
    ["bytes as text", (stream: Loose) => stream.text("s", () => [Uint8Array.of(1)]), "must be a string"],
    ["text as bytes", (stream: Loose) => stream.bytes("s", "abc"), "must be bytes"],
    ["null as bytes", (stream: Loose) => stream.bytes("s", [null]), "must be bytes"],
  ])("STR1 a stream of %s fails with INVALID_ARGUMENT, which says what is needed", async (_what, write, message) => {
    const host = await finished((ctx) => write(ctx.stream as never));
    expect(host.header.error).toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(`^ctx.stream\\("s"\\): .*${message}`),
    });
  });
});

/** `ctx.stream` as untyped code calls it. */
type Loose = Record<"text" | "json" | "bytes", (id: string, source?: unknown) => Promise<number>> &
  ((id: string, source?: unknown) => Promise<number>);
