/** tests: readers of a run with many streams (STR2) */
import { HOST_LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import { EVENT_CURSOR } from "../src/feed/event-cursor.ts";
import { type FeedEvent, type FeedSource, RunFeed } from "../src/feed/run-feed.ts";

/** An agent that streams each of its answers. */
const agent = workflow({
  id: "agent",
  run: async (turns: number, ctx) => {
    for (let turn = 0; turn < turns; turn++) await ctx.stream.text(`answer-${turn}`, "text");
    await ctx.waitForSignal("go");
  },
});

/** Two streams at a time, of which the first is open while the others are written. */
const open = workflow({
  id: "open",
  run: (turns: number, ctx) =>
    Promise.all([
      ctx.stream("log", async function* () {
        yield "begins";
        await new Promise(() => {});
      }),
      (async () => {
        for (let turn = 0; turn < turns; turn++) await ctx.stream.text(`answer-${turn}`, "text");
      })(),
    ]),
});

const VIEW = { read: true, tokenIds: true, stacks: false } as never;

async function recorded(run: typeof agent | typeof open, turns: number): Promise<FeedSource> {
  const host = new MemoryHost({ workflows: [run] });
  host.trigger(run.id, turns);
  await host.settle();
  return { store: host.store, header: () => host.header, inProgress: () => [], hide: (text) => text };
}

/** Reads to the newest event. `again`: with another feed for each read, as a reader that always connects again. */
function readAll(
  source: FeedSource,
  again = false,
): {
  readonly events: FeedEvent[];
  readonly reads: number;
  /** The characters of each read. */
  readonly batches: number[];
} {
  const events: FeedEvent[] = [];
  const batches: number[] = [];
  let feed = new RunFeed(source, undefined, VIEW);
  const header = source.header();
  if (header === undefined) throw new Error("no run");
  for (let reads = 1; ; reads++) {
    const { events: found } = feed.read(header);
    const news = found.filter(({ type }) => type !== "run");
    if (news.length === 0) return { events, reads, batches };
    events.push(...news);
    batches.push(JSON.stringify(news).length);
    if (again) feed = new RunFeed(source, news.at(-1)?.cursor, VIEW);
  }
}

const chunksOf = (events: readonly FeedEvent[]): unknown[] =>
  events.flatMap(({ type, data }) => (type === "chunk" ? [Object.values(data as object).join(" ")] : []));

test.each([
  ["which have all ended", agent, 2_000],
  ["while the first is still open", open, 300],
] as const)(
  "STR2 a reader of many streams, %s, gets each chunk once, and at each place a valid cursor",
  async (_, run, turns) => {
    const source = await recorded(run, turns);
    for (const again of [false, true]) {
      const { events, reads } = readAll(source, again);
      const chunks = chunksOf(events);
      expect(new Set(chunks).size).toBe(chunks.length);
      expect(chunks).toHaveLength(run === open ? turns + 1 : turns);
      expect(events.filter(({ cursor }) => !EVENT_CURSOR.test(cursor) || cursor.length > 8_192)).toEqual([]);
      expect(reads).toBeGreaterThan(turns / 60);
    }
  },
);

test("STR2 a reader gets what follows many streams without a chunk, and only then the end of the run", async () => {
  const empty = workflow({
    id: "empty",
    run: async (turns: number, ctx) => {
      for (let turn = 0; turn < turns; turn++) await ctx.stream(`nothing-${turn}`, () => []);
      await ctx.step("last", () => "done");
    },
  });
  const source = await recorded(empty, 200);
  const header = source.header();
  if (header === undefined) throw new Error("no run");
  expect(header.status).toBe("completed");
  const { events, over } = new RunFeed(source, undefined, VIEW).read(header);
  expect(events.map(({ type }) => type)).toEqual(["step"]);
  expect(over).toBe(false);
});

test("STR2 the cursor after streams that have ended is short, however many there are", async () => {
  const source = await recorded(agent, 500);
  expect(readAll(source).events.at(-1)?.cursor.length).toBeLessThan(40);
  const feed = new RunFeed(source, undefined, VIEW);
  const header = source.header();
  if (header !== undefined) feed.skip(header);
  expect(feed.place.cursor).toMatch(/^\d+-500$/);
});

test("LIM1 STR2 a reader gets large values in batches of one answer's size, and misses none", async () => {
  const large = workflow({
    id: "large",
    run: async (chars: number, ctx) => {
      for (let nth = 0; nth < 6; nth++) await ctx.step(`step ${nth}`, () => String(nth).repeat(chars));
      await ctx.stream.text("s", () => Array.from({ length: 90 }, () => "c".repeat(250_000)));
    },
  });
  const source = await recorded(large, 4_000_000);
  for (const again of [false, true]) {
    const { events, batches } = readAll(source, again);
    expect(events.filter(({ type }) => type === "step")).toHaveLength(6);
    expect(chunksOf(events)).toHaveLength(90);
    // The last event of a batch may exceed the size.
    expect(Math.max(...batches)).toBeLessThan(HOST_LIMITS.jsonChars + 4_100_000);
  }
});
