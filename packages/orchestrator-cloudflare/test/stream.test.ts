import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { eventStream } from "../src/feed/event-stream.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const follows = workflow({
  id: "follows",
  run: async (_input, ctx) => {
    await ctx.step("first", () => 1);
    ctx.metadata.set("phase", "streaming");
    await ctx.stream.text(
      "log",
      (async function* lines() {
        for (const line of ["a", "b", "c"]) yield line;
      })(),
    );
    await ctx.waitForSignal("go");
    await ctx.stream.text("log2", "last");
    return ctx.step("second", () => 2);
  },
});
const waits = workflow({ id: "waits", run: (_input, ctx) => ctx.waitForSignal("go") });
const talks = workflow({
  id: "talks",
  run: (_input, ctx) =>
    ctx.stream.text(
      "words",
      (async function* words() {
        for (let i = 0; i < 5_000; i++) yield "x".repeat(1_000);
      })(),
    ),
});

interface Event {
  readonly id: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
}

/** A minimal reader of Server-Sent Events. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";
  over = false;
  readonly events: Event[] = [];
  comments = 0;

  constructor(response: Response) {
    expect([response.status, response.headers.get("Content-Type")]).toEqual([200, "text/event-stream"]);
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader();
  }

  async more(): Promise<void> {
    const { done, value } = await this.#reader.read();
    if (done) {
      this.over = true;
      return;
    }
    this.#text += this.#decoder.decode(value, { stream: true });
    const blocks = this.#text.split("\n\n");
    this.#text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = Object.fromEntries(
        block.split("\n").map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
      );
      if (fields["event"] === undefined) this.comments += 1;
      else
        this.events.push({
          id: fields["id"] ?? "",
          type: fields["event"],
          data: JSON.parse(fields["data"] ?? "") as Event["data"],
        });
    }
  }

  async until(enough: (events: readonly Event[]) => boolean): Promise<readonly Event[]> {
    while (!this.over && !enough(this.events)) await this.more();
    return this.events;
  }

  toTheEnd(): Promise<readonly Event[]> {
    return this.until(() => false);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function deploy(workflowId: string): Promise<FakeDeployment> {
  const api = new FakeDeployment([follows, waits, talks]);
  expect((await api.fetch("/api/runs", { json: { runId: "r", workflowId } })).status).toBe(201);
  return api;
}

async function follow(api: FakeDeployment, query = "", headers: Record<string, string> = {}): Promise<Reader> {
  return new Reader(await api.fetch(`/api/runs/r/stream${query}`, { headers }));
}

const status = (events: readonly Event[]): unknown => events.findLast(({ type }) => type === "run")?.data["status"];
const shown = (events: readonly Event[]): string[] =>
  events
    .filter(({ type }) => type !== "run")
    .map(({ type, data }) => [type, data["stream"] ?? data["name"], data["index"] ?? data["status"] ?? ""].join(" "));

const ALL = [
  "step first completed",
  "metadata phase ",
  "chunk log 0",
  "chunk log 1",
  "chunk log 2",
  "waitpoint go open",
  "waitpoint go ended",
  "chunk log2 0",
  "step second completed",
];

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the events of a run", () => {
  test("STR2 a reader gets all events in order during the run, and the stream ends after the run", async () => {
    const api = await deploy("follows");
    const reader = await follow(api);
    await reader.until((events) => status(events) === "waiting");
    await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "now" } });
    const events = await reader.toTheEnd();
    expect(shown(events).toSorted()).toEqual(ALL.toSorted());
    const order = shown(events);
    for (const [before, after] of [
      [ALL[0], ALL[5]],
      [ALL[5], ALL[6]],
      [ALL[6], ALL[8]],
      [ALL[2], ALL[3]],
      [ALL[3], ALL[4]],
    ] as const)
      expect(order.indexOf(before as string)).toBeLessThan(order.indexOf(after as string));
    expect(events.at(-1)).toMatchObject({ type: "run", data: { id: "r", status: "completed" } });
    expect(events.at(-1)?.data).not.toHaveProperty("seed");
    expect(events.find(({ type }) => type === "chunk")?.data).toEqual({
      stream: "log",
      generation: 1,
      index: 0,
      value: "a",
    });
  });

  test("STR2 a reader that reconnects after any event misses no event and gets none twice", async () => {
    const api = await deploy("follows");
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    const all = (await (await follow(api)).toTheEnd()).filter(({ type }) => type !== "run");
    expect(all).toHaveLength(ALL.length);
    // Entries and chunks are two sequences, each in its order: a late reader gets all entries first.
    const sorted = (events: readonly Event[]): string[] => events.map(({ data }) => JSON.stringify(data)).toSorted();
    for (const [nth, { id }] of all.entries()) {
      const rest = await (await follow(api, "", { "Last-Event-ID": id })).toTheEnd();
      expect(sorted(rest.filter(({ type }) => type !== "run"))).toEqual(sorted(all.slice(nth + 1)));
      expect(status(rest)).toBe("completed");
    }
    const byQuery = await follow(api, `?lastEventId=${encodeURIComponent(all.at(-2)?.id ?? "")}`);
    expect(shown(await byQuery.toTheEnd())).toHaveLength(1);
  });

  test("STR2 a reader continues after a restart of the run's object", async () => {
    const api = await deploy("follows");
    const first = await follow(api);
    const seen = await first.until((events) => status(events) === "waiting");
    await first.cancel();
    api.evict("r");
    const second = await follow(api, "", { "Last-Event-ID": seen.at(-1)?.id ?? "" });
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    expect([...shown(seen), ...shown(await second.toTheEnd())].toSorted()).toEqual(ALL.toSorted());
  });

  test("STR2 many readers get the same events", async () => {
    const api = await deploy("follows");
    const readers = await Promise.all(Array.from({ length: 50 }, () => follow(api)));
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    for (const events of await Promise.all(readers.map((reader) => reader.toTheEnd())))
      expect(shown(events).toSorted()).toEqual(ALL.toSorted());
  });

  test("STR2 from=now omits earlier events", async () => {
    const api = await deploy("follows");
    await (await follow(api)).until((events) => status(events) === "waiting");
    const reader = await follow(api, "?from=now");
    await reader.until((events) => status(events) === "waiting");
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    expect(shown(await reader.toTheEnd()).toSorted()).toEqual(ALL.slice(6).toSorted());
  });

  test("STR2 rows are read only when a slow reader is ready for them", async () => {
    const api = await deploy("talks");
    await vi.waitFor(
      async () => expect((await answerOf(await api.fetch("/api/runs/r"))).body).toMatchObject({ status: "completed" }),
      10_000,
    );
    const storage = api.storageOf("r");
    const list = vi.spyOn(storage.kv, "list");
    const reader = await follow(api);
    await reader.more();
    await new Promise((resolve) => setImmediate(resolve));
    // A few blocks of rows were read; all rows together have five megabytes.
    expect(list.mock.calls.length).toBeLessThan(10);
    const events = await reader.toTheEnd();
    expect(events.filter(({ type }) => type === "chunk").map(({ data }) => data["index"])).toEqual(
      Array.from({ length: 5_000 }, (_none, i) => i),
    );
  });

  test("LIM1 the number of readers of one run is limited, and a disconnected reader does not count", async () => {
    const api = await deploy("waits");
    const readers = await Promise.all(Array.from({ length: DEFAULT_LIMITS.streamReaders }, () => follow(api)));
    const refused = await api.fetch("/api/runs/r/stream");
    expect(refused.headers.get("Retry-After")).toBe("5");
    expect(await answerOf(refused)).toMatchObject({ status: 429, body: { error: "too_many_readers" } });
    await readers[0]?.cancel();
    await (await follow(api)).cancel();
    await Promise.all(readers.slice(1).map((reader) => reader.cancel()));
  });

  test("STR2 the stream ends when its run is deleted; an unknown run has no stream", async () => {
    const api = await deploy("waits");
    vi.spyOn(console, "log").mockImplementation(() => {});
    const reader = await follow(api);
    await reader.until((events) => status(events) === "waiting");
    await api.fetch("/api/runs/r/cancel", { json: {} });
    await api.fetch("/api/runs/r", { headers: { Prefer: "wait=5" } });
    await api.fetch("/api/runs/r", { method: "DELETE" });
    await reader.toTheEnd();
    expect((await api.fetch("/api/runs/r/stream")).status).toBe(404);
    expect((await api.fetch("/api/runs/r/stream?from=tomorrow")).status).toBe(400);
  });

  test.each(["", "9999999999", "0~0.0.0.0~1.1.1.999", "0~7.1.1.999"])(
    "LIM2 a reader with the empty or unknown cursor %j gets the end of the run",
    async (id) => {
      const api = await deploy("follows");
      await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
      const events = await (await follow(api, "", { "Last-Event-ID": id })).toTheEnd();
      expect(status(events)).toBe("completed");
    },
  );

  test("STR2 a comment is sent after a time without events", async () => {
    let looks = 0;
    const source = {
      read: () => ({ events: [], over: ++looks > 6 }),
      changed: async () => {},
      closed: vi.fn(),
    };
    const reader = new Reader(eventStream(source, 1));
    await reader.toTheEnd();
    expect(reader.comments).toBeGreaterThan(2);
    expect(source.closed).toHaveBeenCalledTimes(1);
  });
});
