/** tests: what a world does with triggers that a window collects, or that a limit rejects, skips or replaces */
import { limit, workflow } from "@holdfast/workflows";
import { ApiError } from "@holdfast/workflows/client";
import { type TestRun, testWorld } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

interface Page {
  readonly page: string;
  readonly text: string;
}

const index = workflow({
  id: "index",
  debounce: { key: (input: Page) => input.page, wait: "10s", maxWait: "30s" },
  run: async ({ text }: Page) => text,
});
const mail = workflow({
  id: "mail",
  batch: { max: 3, wait: "1m", maxBytes: 200 },
  // The input of a trigger is one item, that of the run is the list.
  run: async (items: unknown) => (items as readonly string[]).join(","),
});

/** A workflow whose runs end when they get a signal, with a limit of one run. */
const guarded = (onFull: "queue" | "reject" | "skip" | "replace") =>
  workflow({
    id: "guarded",
    limits: [limit<string>("guard", { max: 1, onFull, key: (input) => input }).hold("run")],
    run: async (_input: string, ctx) => ctx.waitForSignal<string>("end"),
  });

const statuses = (runs: readonly TestRun[]): string[] => runs.map(({ status }) => status);

describe("debounce and batch", () => {
  test("WIN1 WIN2 triggers of one key within the wait become one run with the newest input", async () => {
    const world = testWorld({ workflows: [index] });
    const first = await world.start(index, { page: "a", text: "1" });
    await world.advance("9s");
    const second = await world.start(index, { page: "a", text: "2" });
    const other = await world.start(index, { page: "b", text: "3" });
    expect(second.id).toBe(first.id);
    expect(other.id).not.toBe(first.id);
    expect(first.status).toBe("pending");
    expect(first.journal).toEqual([]);
    expect(world.runs()).toEqual([]);
    expect(await world.window(index, "a")).toMatchObject({
      workflowId: "index",
      key: "a",
      runId: first.id,
      state: "debounced",
      count: 2,
      startsAt: world.now.getTime() + 10_000,
    });
    await world.advance("9s");
    expect(world.results(index)).toEqual([]);
    await world.advance("1s");
    expect(world.results(index)).toMatchObject([
      { id: first.id, status: "completed", output: "2", input: { page: "a", text: "2" } },
      { id: other.id, output: "3" },
    ]);
    expect(first.status).toBe("completed");
    expect(await world.window(index, "a")).toBeUndefined();
    await world.start(index, { page: "x".repeat(300), text: "4" });
    expect(await world.window(index, "x".repeat(300))).toMatchObject({ key: "x".repeat(300), count: 1 });
  });

  test("WIN1 a trigger at the time of the start opens another window, and maxWait ends a window that never rests", async () => {
    const world = testWorld({ workflows: [index] });
    const runs = new Set<string>();
    for (let n = 0; n < 9; n++) {
      runs.add((await world.start(index, { page: "a", text: String(n) })).id);
      await world.advance("5s");
    }
    await world.advance("1m");
    expect(world.results(index).map(({ id, output }) => [id, output])).toEqual([
      [[...runs][0], "5"],
      [[...runs][1], "8"],
    ]);
  });

  test("WIN3 a batch starts when it is full or its time is over, with the inputs in their order", async () => {
    const world = testWorld({ workflows: [mail] });
    const first = await world.start(mail, "a");
    for (const one of ["b", "c", "d"]) await world.start(mail, one);
    expect(first.status).toBe("completed");
    expect(await world.window(mail)).toMatchObject({ state: "batched", count: 1 });
    await world.advance("1m");
    expect(world.results(mail).map(({ output }) => output)).toEqual(["a,b,c", "d"]);
    await expect(world.start(mail, "x".repeat(300))).rejects.toMatchObject({ code: "body_too_large" });
  });

  test("WIN4 a repeated idempotency key counts once in a window", async () => {
    const world = testWorld({ workflows: [mail] });
    for (let n = 0; n < 5; n++) await world.start(mail, "a", { idempotencyKey: "k" });
    await world.start(mail, "b", { idempotencyKey: "l" });
    await world.advance("1m");
    expect(world.results(mail).map(({ output }) => output)).toEqual(["a,b"]);
  });

  test("WIN6 a window can be fired and cancelled, and a run that never starts does not end", async () => {
    const world = testWorld({ workflows: [index] });
    const fired = await world.start(index, { page: "a", text: "1" });
    expect(await world.window(index, "a", "fire")).toMatchObject({ state: "fired", runId: fired.id });
    expect(fired.status).toBe("completed");
    const cancelled = await world.start(index, { page: "a", text: "2" });
    expect(await world.window(index, "a", "cancel")).toMatchObject({ state: "cancelled", count: 1 });
    expect(await world.window(index, "a", "cancel")).toBeUndefined();
    await world.advance("1h");
    expect(cancelled.status).toBe("pending");
    await expect(cancelled.ends()).rejects.toThrow(/did not end.*It is pending/);
    await expect(cancelled.signal("x")).rejects.toThrow(/refused/);
  });

  test("WIN5 a key that the input does not give is refused, and nothing is collected", async () => {
    const world = testWorld({ workflows: [index] });
    await expect(world.start(index, { text: "1" } as never)).rejects.toMatchObject({
      name: "ApiError",
      status: 422,
      code: "limit_key_invalid",
    });
    await expect(testWorld({ workflows: [] }).start(index, { page: "a", text: "1" })).rejects.toMatchObject({
      code: "workflow_not_found",
    });
  });

  test("WIN1 ends() of a run that a window starts passes the time of the window", async () => {
    const run = await testWorld({ workflows: [index] }).start(index, { page: "a", text: "1" });
    await run.ends();
    expect(run.status).toBe("completed");
  });
});

describe("a limit that is full", () => {
  test("L6 reject stores nothing, and the next run starts when the limit is free", async () => {
    const rejecting = guarded("reject");
    const world = testWorld({ workflows: [rejecting] });
    const first = await world.start(rejecting, "k");
    const error = await world.start(rejecting, "k").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 429, code: "limit_full" });
    expect(String(error)).toMatch(/The limit "guard" is full \(at most 1\)/);
    expect(world.runs()).toHaveLength(1);
    expect((await world.start(rejecting, "other")).status).toBe("waiting");
    await first.signal("end", "done");
    expect((await world.start(rejecting, "k")).status).toBe("waiting");
  });

  test("L6 skip gives the run that holds, and no run is created", async () => {
    const skipping = guarded("skip");
    const world = testWorld({ workflows: [skipping] });
    const first = await world.start(skipping, "k");
    expect((await world.start(skipping, "k")).id).toBe(first.id);
    expect(world.runs()).toHaveLength(1);
    expect(world.limit("guard", "k")).toMatchObject({ held: 1, queued: 0 });
  });

  test("L4 replace cancels the run that holds, and of those that wait only the newest starts", async () => {
    const replacing = guarded("replace");
    const world = testWorld({ workflows: [replacing] });
    const runs = [];
    for (let n = 0; n < 3; n++) runs.push(await world.start(replacing, "k"));
    expect(statuses(runs)).toEqual(["cancelled", "cancelled", "waiting"]);
  });

  test("L6 a rate with reject says when the next run may start", async () => {
    const rated = workflow({
      id: "rated",
      limits: [limit("hourly", { rate: { limit: 1, per: "1h" }, onFull: "reject" })],
      run: async () => 1,
    });
    const world = testWorld({ workflows: [rated] });
    await world.start(rated);
    const error = await world.start(rated).catch((thrown: ApiError) => thrown);
    expect(error).toMatchObject({ code: "limit_full", details: { retryAt: Date.UTC(2026, 0, 1, 1) } });
    await world.advance("1h");
    expect((await world.start(rated)).status).toBe("completed");
  });

  test("L6 a singleton skips by default, and holds while its run waits or is paused", async () => {
    const only = workflow({ id: "only", singleton: {}, run: async (_input, ctx) => ctx.sleep("1h") });
    const world = testWorld({ workflows: [only] });
    const first = await world.start(only);
    await first.pause();
    expect((await world.start(only)).id).toBe(first.id);
    await first.unpause();
    await world.advance("1h");
    expect((await world.start(only)).id).not.toBe(first.id);
  });
});

describe("an idempotency key", () => {
  test("RUN2 gives the same run again, and refuses another input", async () => {
    const plain = workflow({ id: "plain", run: async (input: number) => input });
    const world = testWorld({ workflows: [plain] });
    const first = await world.start(plain, 1, { idempotencyKey: "k" });
    expect((await world.start(plain, 1, { idempotencyKey: "k" })).id).toBe(first.id);
    await expect(world.start(plain, 2, { idempotencyKey: "k" })).rejects.toMatchObject({
      code: "idempotency_conflict",
    });
    await expect(world.start(plain, 2, { key: "k" } as never)).rejects.toThrow(/key/);
    expect(world.runs()).toHaveLength(1);
  });
});
