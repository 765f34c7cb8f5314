/** tests: schedules and what became of their ticks, and what operators change */
import { afterEach, beforeEach, expect, test } from "vitest";
import { NOW, call } from "./call.ts";
import { type FakeApi, HOSTILE, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call([...args, "--url", api.url], world);

const TIME = { nominal: NOW, fireAt: NOW, local: "2027-03-14T03:00:00-04:00", note: "The clock goes forward." };

const SCHEDULE = {
  id: "nightly",
  workflowId: "report",
  cron: ["30 2 * * *"],
  tz: "America/New_York",
  status: "paused",
  source: "api",
  paused: { at: NOW, by: "ann", reason: HOSTILE },
  next: [TIME],
  last: { nominal: NOW, outcome: "skipped", reason: "overlap" },
  counts: { fired: 3, failed: 0, skipped: { overlap: 1 } },
  ticks: [
    { seq: 1, kind: "tick", nominal: NOW, fireAt: NOW, at: NOW, outcome: "skipped", reason: "overlap", byRunId: "r1" },
  ],
};

test("CLI1 list, show and preview print times and ticks, and no text of a run raw", async () => {
  api.answers.set("GET /api/schedules", [200, { schedules: [SCHEDULE] }]);
  api.answers.set("GET /api/schedules/nightly", [200, SCHEDULE]);
  api.answers.set("POST /api/schedules/preview", [200, { total: 1, times: [TIME] }]);
  const verbs = [
    ["schedule", "list"],
    ["schedule", "show", "nightly"],
    ["schedule", "preview", "30 2 * * *", "--tz", "America/New_York"],
  ];
  for (const args of verbs) {
    const { exit, stdout, stderr } = await on(args, { columns: 140 });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toContain("2027-03-14T03:00:00-04:00");
    expect(stdout).not.toContain(HOSTILE);
  }
});

test("SCH8 the verbs of one schedule send what they say", async () => {
  for (const action of ["pause", "resume"]) api.answers.set(`POST /api/schedules/nightly/${action}`, [200, SCHEDULE]);
  api.answers.set("POST /api/schedules", [200, SCHEDULE]);
  api.answers.set("POST /api/schedules/nightly/trigger", [200, { runId: "sch_nightly_m_1" }]);
  api.answers.set("POST /api/schedules/nightly/backfill", [200, { total: 1, times: [TIME] }]);
  api.answers.set("DELETE /api/schedules/nightly", [204, null]);
  const range = ["--from", "2027-01-01", "--until", "2027-02-01T01:00+01:00"];
  const verbs = [
    ["create", "-d", '{"id":"nightly","cron":"30 2 * * *","workflow":"report"}'],
    ["pause", "nightly", "--reason", "slow"],
    ["resume", "nightly", "--catch-up"],
    ["trigger", "nightly"],
    ["backfill", "nightly", ...range, "--rate", "10", "--dry-run"],
    ["delete", "nightly"],
  ];
  for (const args of verbs) {
    expect((await on(["schedule", ...args])).exit).toBe(0);
  }
  expect(api.seen.filter(({ method }) => method === "POST").map(({ body }) => body)).toMatchObject([
    { id: "nightly" },
    { reason: "slow" },
    { catchUp: true },
    {},
    { from: "2027-01-01T00:00:00.000Z", until: "2027-02-01T00:00:00.000Z", rate: 10, dryRun: true },
  ]);
  expect((await on(["schedule", "backfill", "nightly", ...range, "--rate", "x"])).exit).toBe(2);
  const { exit, stderr } = await on(["schedule", "backfill", "nightly", "--from", "5", "--until", "1d"]);
  expect([exit, stderr]).toEqual([2, expect.stringContaining('--from: "5" is not a time. Write a date')]);
});

test("SCH9 GATE8 sync prints the difference before it applies it, and with --dry-run applies nothing", async () => {
  const changes = [{ id: "nightly", change: "orphaned" }];
  api.answers.set("POST /api/schedules/sync", [200, { rev: 1, appliedRev: 1, stale: false, changes }]);
  const rate = { limit: 5, perMs: 1_000, burst: 0 };
  const [applies, declares] = [{ max: 9 }, { max: null, rate }];
  const limits = [{ name: "customer", key: HOSTILE, change: "changed", rev: 2, applies, declares }];
  api.answers.set("POST /api/limits/sync", [200, { rev: 1, changes: limits, nextCursor: null }]);
  const { stdout, stderr } = await on(["sync", "--dry-run"], { columns: 200 });
  expect(stderr).toBe("");
  for (const text of ["orphaned", "max 9", "5 per 1000 ms, burst 0"]) expect(stdout).toContain(text);
  expect(stdout).not.toContain(HOSTILE);
  expect((await on(["sync"])).exit).toBe(0);
  const [dry, done] = [{ dryRun: true }, { dryRun: false }];
  expect(api.seen.map(({ path, body }) => [path, body])).toEqual([
    ["/api/schedules/sync", dry],
    ["/api/limits/sync", dry],
    ["/api/schedules/sync", dry],
    ["/api/limits/sync", dry],
    ["/api/schedules/sync", done],
    ["/api/limits/sync", done],
  ]);
});

test("CLI1 a declaration without a workflow is refused by the server, which names the field", async () => {
  const refusal = { error: "invalid_body", message: 'schedule("x"): needs workflow.', docUrl: "https://docs.example" };
  api.answers.set("POST /api/schedules", [400, refusal]);
  for (const declaration of ['{"id":"x"}', "null", "[]", "7"])
    expect((await on(["schedule", "create", "-d", declaration])).stderr).toContain("needs workflow");
});
