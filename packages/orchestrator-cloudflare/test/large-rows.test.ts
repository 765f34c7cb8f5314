import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { BucketLike } from "../src/index.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const LARGE = 700_000;
const heavy = workflow({
  id: "heavy",
  run: async (input: { note: string; hold?: boolean }, ctx) => {
    const first = await ctx.step("large", () => "a".repeat(LARGE));
    await ctx.step("small", () => "b");
    if (input.hold === true) await ctx.waitForSignal("go");
    await ctx.step("after", () => first.length);
    return first.length;
  },
});

/** A bucket that a test can break. */
class FakeBucket implements BucketLike {
  readonly objects = new Map<string, string>();
  gets = 0;
  breaks: "put" | "get" | "delete" | undefined;

  async put(key: string, value: string): Promise<void> {
    if (this.breaks === "put") throw new Error("the bucket is unavailable");
    this.objects.set(key, value);
  }

  async get(key: string): Promise<{ text(): Promise<string> } | null> {
    this.gets += 1;
    if (this.breaks === "get") throw new Error("the bucket is unavailable");
    const value = this.objects.get(key);
    return value === undefined ? null : { text: async () => value };
  }

  async delete(keys: string[]): Promise<void> {
    if (this.breaks === "delete") throw new Error("the bucket is unavailable");
    for (const key of keys) this.objects.delete(key);
  }
}

const INPUT = { note: "n".repeat(600_000) };

function deploy(): { api: FakeDeployment; bucket: FakeBucket } {
  const bucket = new FakeBucket();
  return { bucket, api: new FakeDeployment([heavy], {}, undefined, { bucket }) };
}

async function body(api: FakeDeployment, path: string): Promise<Record<string, unknown>> {
  return (await answerOf(await api.fetch(path))).body;
}

async function ended(api: FakeDeployment, input: object = INPUT): Promise<void> {
  await api.fetch("/api/runs", { json: { runId: "r", workflowId: "heavy", input } });
  await vi.waitFor(async () => expect(await body(api, "/api/runs/r")).toHaveProperty("endedAt"));
}

const parts = (api: FakeDeployment): number =>
  [...api.storageOf("r").rows.keys()].filter((key) => key.startsWith("part/")).length;

afterEach(() => {
  vi.restoreAllMocks();
});

describe("large payloads of ended runs", () => {
  test("LIM1 are moved to the bucket when the run has ended, and are read as before", async () => {
    const { api, bucket } = deploy();
    await ended(api);
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
    expect(parts(api)).toBe(0);
    expect([...bucket.objects.keys()].toSorted()).toEqual(["runs/-/r/input", "runs/-/r/journal%2F0000000001"]);
    for (const restart of [false, true]) {
      if (restart) api.evict("r");
      const { input, steps, output } = await body(api, "/api/runs/r");
      expect([input, output]).toEqual([INPUT, LARGE]);
      expect((steps as { output: string }[])[0]?.output).toHaveLength(LARGE);
      const { entries } = (await body(api, "/api/runs/r/journal")) as { entries: { value: string }[] };
      expect(entries[0]?.value).toHaveLength(LARGE);
    }
  });

  test("LIM1 stay in the object of a run that executes or waits", async () => {
    const { api, bucket } = deploy();
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "heavy", input: { ...INPUT, hold: true } } });
    await vi.waitFor(async () => expect(await body(api, "/api/runs/r")).toMatchObject({ status: "waiting" }));
    expect(bucket.objects.size).toBe(0);
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
  });

  test("LIM1 stay in the object while the bucket is unavailable, and are moved at the next request", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { api, bucket } = deploy();
    bucket.breaks = "put";
    await ended(api);
    expect([bucket.objects.size, parts(api) > 0]).toEqual([0, true]);
    expect(await body(api, "/api/runs/r")).toMatchObject({ input: INPUT });
    bucket.breaks = undefined;
    api.evict("r");
    await body(api, "/api/runs/r");
    await vi.waitFor(() => expect([bucket.objects.size, parts(api)]).toEqual([2, 0]));
  });

  test("DUR4 an object that dies between the write to the bucket and its own commit repeats both", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { api, bucket } = deploy();
    const put = bucket.put.bind(bucket);
    let deaths = 0;
    bucket.put = async (key, value) => {
      await put(key, value);
      if (++deaths <= 2) throw new Error("the object died here");
    };
    await ended(api);
    await vi.waitFor(() => expect(deaths).toBeGreaterThan(0));
    for (let load = 0; load < 3; load++) {
      api.evict("r");
      expect(await body(api, "/api/runs/r")).toMatchObject({ input: INPUT, output: LARGE });
    }
    await vi.waitFor(() => expect([bucket.objects.size, parts(api)]).toEqual([2, 0]));
  });

  test("VER3 a run that is deleted while its rows move leaves nothing in the bucket or the object, and a new one moves", async () => {
    const { api, bucket } = deploy();
    const put = bucket.put.bind(bucket);
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let puts = 0;
    bucket.put = async (key, value) => {
      puts += 1;
      await released;
      await put(key, value);
    };
    await ended(api);
    await vi.waitFor(() => expect(puts).toBe(1));
    const deleted = api.fetch("/api/runs/r", { method: "DELETE" });
    // The deletion has come as far as it can.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    release();
    expect((await deleted).status).toBe(204);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect([bucket.objects.size, api.storageOf("r").rows.size]).toEqual([0, 0]);
    await ended(api);
    await vi.waitFor(() => expect([bucket.objects.size, parts(api)]).toEqual([2, 0]));
  });

  test("RUN2 a repeated trigger is compared with the input in the bucket", async () => {
    const { api, bucket } = deploy();
    await ended(api);
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
    const again = (input: object): Promise<Response> =>
      api.fetch("/api/runs", { json: { runId: "r", workflowId: "heavy", input } });
    expect((await again(INPUT)).status).toBe(200);
    expect((await again({ note: `${INPUT.note}!` })).status).toBe(409);
  });

  test("API7 are not loaded for a view without the history, except the input for a summary", async () => {
    const { api, bucket } = deploy();
    await ended(api);
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
    api.evict("r");
    bucket.gets = 0;
    expect(await body(api, "/api/runs/r?view=result")).toEqual({ id: "r", status: "completed", output: LARGE });
    expect(bucket.gets).toBe(0);
    expect(await body(api, "/api/runs/r?view=summary")).toMatchObject({ input: INPUT, output: LARGE });
    expect(bucket.gets).toBe(1);
    const again = { runId: "r", workflowId: "heavy", input: INPUT };
    expect((await api.fetch("/api/runs?view=result", { json: again })).status).toBe(200);
    expect(bucket.gets).toBe(2);
  });

  test("RES1 a run is resumed with the payloads in the bucket", async () => {
    const { api, bucket } = deploy();
    await ended(api);
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
    api.evict("r");
    await api.fetch("/api/runs/r/resume", { json: { runId: "s", resumeFromStep: "after" } });
    await vi.waitFor(async () =>
      expect(await body(api, "/api/runs/s")).toMatchObject({ status: "completed", output: LARGE }),
    );
    expect((await body(api, "/api/runs/s"))["input"]).toEqual(INPUT);
  });

  test("RES1 a resume fails if a payload cannot be loaded", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const { api, bucket } = deploy();
    await ended(api);
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
    bucket.breaks = "get";
    api.evict("r");
    expect((await api.fetch("/api/runs/r/resume", { json: { runId: "s", resumeFromStep: "after" } })).status).toBe(500);
    bucket.breaks = undefined;
    expect((await api.fetch("/api/runs/s")).status).toBe(404);
  });

  test("VER3 are removed before the run; the run is not deleted while the bucket is unavailable", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(console, "log").mockImplementation(() => {});
    const { api, bucket } = deploy();
    await ended(api);
    await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
    bucket.breaks = "delete";
    expect((await api.fetch("/api/runs/r", { method: "DELETE" })).status).toBe(500);
    expect(await body(api, "/api/runs/r")).toMatchObject({ input: INPUT });
    bucket.breaks = undefined;
    expect((await api.fetch("/api/runs/r", { method: "DELETE" })).status).toBe(204);
    expect([bucket.objects.size, api.storageOf("r").rows.size]).toEqual([0, 0]);
  });

  test.each(["lost", "unreadable"])(
    "VER3 a run whose payloads in the bucket are %s can be deleted",
    async (problem) => {
      vi.spyOn(console, "error").mockImplementation(() => {});
      vi.spyOn(console, "log").mockImplementation(() => {});
      const { api, bucket } = deploy();
      await ended(api);
      await vi.waitFor(() => expect(bucket.objects.size).toBe(2));
      if (problem === "lost") bucket.objects.clear();
      else bucket.breaks = "get";
      api.evict("r");
      expect((await api.fetch("/api/runs/r")).status).toBe(500);
      expect((await api.fetch("/api/runs/r", { method: "DELETE" })).status).toBe(204);
      expect([bucket.objects.size, api.storageOf("r").rows.size]).toEqual([0, 0]);
      expect((await api.fetch("/api/runs/r")).status).toBe(404);
    },
  );

  test("LIM1 concurrent readers see all payloads, also while they are moved", async () => {
    const { api } = deploy();
    await ended(api);
    const read = async (): Promise<unknown> => (await body(api, "/api/runs/r"))["input"];
    const seen = await Promise.all(Array.from({ length: 20 }, read));
    expect(seen.every((input) => JSON.stringify(input) === JSON.stringify(INPUT))).toBe(true);
  });
});
