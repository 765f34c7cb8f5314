/** tests: limits: who holds and who waits, and what operators change */
import { afterEach, beforeEach, expect, test } from "vitest";
import { NOW, call } from "./call.ts";
import { type FakeApi, HOSTILE, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call(["limit", ...args, "--url", api.url], world);

const LIMIT = {
  name: "customer",
  key: "c 1",
  max: 2,
  declaredMax: 1,
  rev: 1,
  override: { max: 2, by: "ann", at: NOW },
  held: 1,
  holders: [{ runId: "order-1", workflowId: "order", mode: "run", since: NOW - 90_000, state: "unreachable" }],
  queued: 1,
  queue: [{ runId: HOSTILE, workflowId: "order", since: NOW - 60_000 }],
  next: HOSTILE,
};

test.each([80, 140])("CLI1 list and show print who holds and who waits, %i columns", async (columns) => {
  api.answers.set("GET /api/limits", [200, { limits: [LIMIT], nextCursor: null }]);
  api.answers.set("GET /api/limits/customer/c%201", [200, LIMIT]);
  for (const args of [["list"], ["list", "customer"], ["show", "customer", "c 1"]]) {
    const { exit, stdout, stderr } = await on(args, { columns });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toMatchSnapshot(args.join(" "));
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
  }
});

test("set, clear, pause, unpause and kick send what they say", async () => {
  for (const place of ["PATCH /api/limits/openai", "POST /api/limits/openai/pause", "POST /api/limits/openai/kick"])
    api.answers.set(place, [200, { ...LIMIT, name: "openai" }]);
  const verbs = [
    ["set", "openai", "--max", "3"],
    ["clear", "openai"],
    ["pause", "openai"],
    ["unpause", "openai"],
    ["kick", "openai", "--run", "r1"],
  ];
  for (const args of verbs) expect((await on(args)).exit).toBe(0);
  expect(api.seen.filter(({ method }) => method !== "GET").map(({ body }) => body)).toEqual([
    { max: 3 },
    { max: null },
    { paused: true },
    { paused: false },
    { runId: "r1" },
  ]);
  expect((await on(["set", "openai", "--max", "0"])).exit).toBe(2);
  expect((await on(["kick", "openai"])).exit).toBe(2);
});

test.each([
  [["set", "custmer", "--max", "3"], "PATCH", { override: { max: 3, by: "ann", at: NOW } }],
  [["pause", "custmer"], "POST", { paused: { by: "ann", at: NOW } }],
])("CLI2 %j of a limit that no run has met is done, with a warning about its name", async (args, method, changed) => {
  const unknown = { name: "custmer", max: null, declaredMax: null, rev: 0, held: 0, holders: [], queued: 0, queue: [] };
  const path = `${method} /api/limits/custmer${method === "POST" ? "/pause" : ""}`;
  api.answers.set(path, [200, { ...unknown, ...changed }]);
  expect(await on(args)).toMatchObject({
    exit: 0,
    stdout: expect.stringContaining("custmer"),
    stderr: expect.stringContaining("No run has reached the limit custmer yet"),
  });
  api.answers.set(path, [200, { ...unknown, ...changed, declaredMax: 1 }]);
  expect((await on(args)).stderr).not.toContain("No run has reached");
});
