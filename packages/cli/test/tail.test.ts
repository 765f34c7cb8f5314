/** tests: what tail and start --follow show */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NOW, call } from "./call.ts";
import { type FakeApi, HOSTILE, RUNS, entry, eventsOf, sampleRecord, sampleRun, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call([...args, "--url", api.url], world);

const step = (seq: number, type: string, name: string, more: object): readonly [string, unknown] => {
  const [, word = ""] = type.split(".");
  return ["step", { ...entry(seq, type, "step", name, more), name, occurrence: 0, status: word, compensation: false }];
};
const wait = (
  seq: number,
  type: string,
  kind: string,
  name: string,
  status: string,
  more: object = {},
): readonly [string, unknown] => ["waitpoint", { ...entry(seq, type, kind, name, more), name, occurrence: 0, status }];

const PARENT = eventsOf(
  ["run", sampleRecord("order-1", "running")],
  step(1, "step.completed", "reserve", { attempt: 1, startedAt: NOW - 88_030 }),
  step(2, "step.retrying", "charge", {
    attempt: 1,
    startedAt: NOW - 88_020,
    retryAt: NOW - 85_000,
    error: { name: "Error", message: "card declined" },
  }),
  ["progress", { steps: [{ name: "charge", occurrence: 0, attempt: 2, startedAt: 0, progress: { done: 3 } }] }],
  step(3, "step.completed", "charge", { attempt: 2, startedAt: NOW - 88_000 }),
  wait(4, "wait.opened", "signal", "approval", "open", { wakeAt: NOW }),
  wait(5, "wait.resolved", "signal", "approval", "ended", { value: true }),
  ["chunk", { stream: "log", generation: 1, index: 0, value: "packing" }],
  wait(6, "child.started", "child", "email", "open", { runId: "child-1" }),
  wait(7, "child.ended", "child", "email", "ended", {
    outcome: { status: "failed", error: { name: "Error", message: "no such address" } },
  }),
  [
    "run",
    sampleRecord("order-1", "failed", {
      error: { code: "DECLINED", name: "Error", message: "card declined", step: "charge" },
    }),
  ],
);
const CHILD = eventsOf(
  ["run", sampleRecord("child-1", "running", { workflowId: "email" })],
  step(1, "step.failed", "send", { attempt: 3, startedAt: NOW - 88_000, error: { name: "Error", message: HOSTILE } }),
  ["run", sampleRecord("child-1", "failed", { workflowId: "email", error: { name: "Error", message: HOSTILE } })],
);

describe("tail", () => {
  beforeEach(() => {
    api.answers.set("GET /api/runs/order-1/stream", [200, PARENT]);
    api.answers.set("GET /api/runs/child-1/stream", [200, CHILD]);
  });

  test.each([80, 140])(
    "CLI1 CLI7 a run with its child: durations, retries, waits, safe text, %i columns",
    async (columns) => {
      const { exit, stdout, stderr } = await on(["tail", "order-1"], { columns });
      expect([exit, stderr]).toEqual([0, ""]);
      const lines = stdout.trimEnd().split("\n");
      // The two runs are followed side by side, so their lines may be mixed.
      const ofChild = lines.filter((line) => /^\S+ {4}/.test(line) && /child-1 email|send/.test(line));
      expect(ofChild.join("\n")).toMatchSnapshot();
      expect(lines.filter((line) => !ofChild.includes(line)).join("\n")).toMatchSnapshot();
      expect(stdout).not.toMatch(/[^\P{C}\n]/u);
    },
  );

  test("CLI1 a pipe gets each event with the id of its run", async () => {
    const { stdout } = await on(["tail", "order-1"]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(events.filter(({ run }) => run === "order-1").map(({ type }) => type)).toHaveLength(11);
    expect(events.find(({ run, type }) => run === "child-1" && type === "step").data).toMatchObject({ name: "send" });
    const alone = (await on(["tail", "order-1", "--no-children"])).stdout;
    expect(alone).not.toContain('"run":"child-1"');
  });

  test("CLI3 it outlives an outage, and continues after the last event", async () => {
    let opened = 0;
    const [first = "", ...rest] = PARENT.split("id: 5");
    api.answers.set("GET /api/runs/order-1/stream", () =>
      ++opened === 1 ? [200, first] : opened < 8 ? [503, "down"] : [200, `id: 5${rest.join("id: 5")}`],
    );
    const { exit, stdout, stderr } = await on(["tail", "order-1", "--no-children"]);
    expect([exit, stderr.match(/The server does not answer/g)?.length]).toEqual([0, 1]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).id),
    ).toEqual("0 1 2 3 4 5 6 7 8 9 10".split(" "));
    const cursors = api.seen.filter(({ path }) => path.endsWith("/stream")).map(({ lastEventId }) => lastEventId);
    expect(cursors).toEqual([undefined, ...cursors.slice(1).map(() => "4")]);
  });

  test("CLI3 it ends with its run although a child was deleted", async () => {
    api.answers.set("GET /api/runs/child-1/stream", [404, { error: "not_found", message: "no" }]);
    const { exit, stdout } = await on(["tail", "order-1"]);
    expect([exit, stdout.includes('"run":"order-1"'), stdout.includes('"run":"child-1"')]).toEqual([0, true, false]);
  });

  test("CLI3 it outlives the page with which a proxy answers for a server that restarts", async () => {
    let opened = 0;
    const [first = "", ...rest] = PARENT.split("id: 5");
    api.answers.set("GET /api/runs/order-1/stream", () =>
      ++opened === 1 ? [200, first] : opened === 2 ? [404, "<html>"] : [200, `id: 5${rest.join("id: 5")}`],
    );
    const { exit, stdout } = await on(["tail", "order-1", "--no-children"]);
    expect([exit, stdout.trimEnd().split("\n").length]).toEqual([0, 11]);
  });

  test("CLI2 an unknown run exits with 3, and a filter in place of an id gets a hint", async () => {
    api.answers.set("GET /api/runs/status:failed/stream", [404, { error: "not_found", message: "no" }]);
    api.answers.set("GET /api/runs/status%3Afailed/stream", [404, { error: "not_found", message: "no" }]);
    expect(await on(["tail", "status:failed"])).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining("holdfast tail --where 'status:failed'"),
    });
    expect(await on(["tail", "a", "--where", "tag:x"])).toMatchObject({ exit: 2 });
  });

  test("CLI2 start --follow shows the run and exits with 1 for its failure", async () => {
    api.answers.set("POST /api/runs", [201, sampleRecord("order-1", "running")]);
    api.answers.set("GET /api/runs/order-1", [
      200,
      sampleRecord("order-1", "failed", { error: { code: "DECLINED", message: "no" } }),
    ]);
    const called = await on(["start", "order", "--follow", "--output", "table"]);
    expect(called).toMatchObject({ exit: 1, stderr: "Error: the run order-1 ended failed: DECLINED: no\n" });
    expect(called.stdout).toContain("✓ reserve");
    expect(await on(["start", "order", "--timeout", "1s"])).toMatchObject({ exit: 2 });
  });

  test("CLI3 all runs that match: each start and change once, until Ctrl-C", async () => {
    api.runs = RUNS.slice(1, 2);
    const interrupt = new AbortController();
    const called = on(["tail", "--where", "workflow:order"], { signal: interrupt.signal });
    await expect.poll(() => api.seen.length, { timeout: 30_000 }).toBeGreaterThan(5);
    api.runs = [sampleRun("new", "running", { createdAt: NOW + 1 }), ...RUNS.slice(1, 2)];
    const before = api.seen.length;
    await expect.poll(() => api.seen.length, { timeout: 30_000 }).toBeGreaterThan(before + 10);
    // What was open and is in no list any longer has ended.
    api.runs = [];
    const ended = () => api.seen.some(({ path }) => path === "/api/runs/new?view=summary");
    await expect.poll(ended, { timeout: 30_000 }).toBe(true);
    await expect.poll(() => api.seen.at(-1)?.path.startsWith("/api/runs?"), { timeout: 30_000 }).toBe(true);
    interrupt.abort(new (await import("../src/exit.ts")).Interrupted("interrupted"));
    const { exit, stdout } = await called;
    expect(exit).toBe(130);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line))
        .map(({ id, status }) => `${id} ${status}`),
    ).toEqual(["new running", "order-2 completed", "new completed"]);
  });
});
