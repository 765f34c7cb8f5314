/** tests: events that are sent, listed, tested and replayed */
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

const TARGETS = [
  { trigger: "paid", workflowId: "fulfil", runId: "evt_1", state: "started" },
  { topic: "o-7", state: "failed", code: "UNREACHABLE" },
];
const EVENT = { id: "e-1", name: "order.paid", key: "o-7", receivedAt: NOW, by: HOSTILE, targets: TARGETS };
const UNMATCHED = [{ trigger: "big", workflowId: "audit", reason: "data.cents gte 100" }];
const RECORD = { ...EVENT, unmatched: UNMATCHED, replays: [{ at: NOW, by: "ann", mode: "force", targets: 1 }] };

test("EVT1 send without runs sends the event, its key and id, and prints what it did", async () => {
  api.answers.set("POST /api/events", [202, { eventId: "e-1", state: "accepted", targets: TARGETS }]);
  const args = ["event", "send", "order.paid", "--key", "o-7", "--id", "e-1", "-i", '{"cents":5}'];
  const { exit, stdout } = await on(args, { columns: 140 });
  expect([exit, stdout]).toEqual([0, expect.stringContaining("1 started, 1 failed")]);
  expect(stdout).toContain("UNREACHABLE");
  expect(api.seen.at(-1)?.body).toEqual({ name: "order.paid", key: "o-7", id: "e-1", data: { cents: 5 } });
});

test("EVT1 send warns if the event reaches nobody, and says what is missing", async () => {
  api.answers.set("POST /api/events", [202, { eventId: "e-1", state: "accepted", targets: [] }]);
  const { exit, stderr } = await on(["event", "send", "order.paid", "-i", "{}"]);
  expect([exit, stderr]).toEqual([0, expect.stringMatching(/Warning: The event does nothing.*--key/)]);
});

test("WAIT2 send with runs goes to these runs, and takes no key", async () => {
  api.answers.set("POST /api/runs/order-1/events", [202, { delivery: "resolved", run: { id: "order-1" } }]);
  expect((await on(["event", "send", "order-1", "stock.changed", "-i", "3"])).exit).toBe(0);
  expect(api.seen.at(-1)?.body).toMatchObject({ eventType: "stock.changed", payload: 3 });
  expect((await on(["event", "send", "order-1", "stock.changed", "--key", "k"])).exit).toBe(2);
});

test("EVT11 list, show, test and replay print what events did, and no text of a caller raw", async () => {
  const listed = { ...EVENT, unmatched: 1, replays: 1 };
  api.answers.set("GET /api/events", [200, { events: [listed], nextCursor: null }]);
  api.answers.set("GET /api/events/e-1", [200, RECORD]);
  api.answers.set("POST /api/events/e-1/replay", [202, RECORD]);
  api.answers.set("POST /api/events/test", [
    200,
    { matches: [{ trigger: "paid", workflowId: "fulfil" }], unmatched: UNMATCHED },
  ]);
  const verbs: [string[], string][] = [
    [["list", "order.paid"], "1 started, 1 failed"],
    [["show", "e-1"], "did not match: data.cents gte 100"],
    [["test", "order.paid", "-i", "{}"], "matches trigger paid of fulfil"],
    [["replay", "e-1", "--mode", "force", "--trigger", "paid", "--waits"], "replayed (force)"],
  ];
  for (const [args, text] of verbs) {
    const { exit, stdout, stderr } = await on(["event", ...args], { columns: 160 });
    expect({ args, exit }).toEqual({ args, exit: 0 });
    expect(stdout).toContain(text);
    expect(stdout + stderr).not.toContain(HOSTILE);
  }
  expect(api.seen.at(-1)?.body).toEqual({ mode: "force", triggers: ["paid"], waits: true });
});

test("EVT11 replay-all prints what would start, and starts it with --yes", async () => {
  const starts = [{ trigger: "paid", workflowId: "fulfil", runId: "evt_1" }];
  const replayed = { id: HOSTILE, name: "order.paid", receivedAt: NOW, starts };
  api.answers.set("POST /api/events/replay", [202, { events: [replayed], nextCursor: null }]);
  const args = ["event", "replay-all", "order.paid", "--from", "2026-11-01"];
  const dry = await on(args, { columns: 120 });
  expect(dry).toMatchObject({ exit: 0, stdout: expect.stringContaining("fulfil") });
  expect(dry.stderr).toContain("Nothing was started");
  expect(dry.stdout).not.toContain(HOSTILE);
  expect((await on([...args, "--until", "2026-11-02T12:00:00Z", "--yes"])).exit).toBe(0);
  const from = Date.parse("2026-11-01");
  expect(api.seen.map(({ body }) => body).slice(-2)).toEqual([
    { name: "order.paid", from, mode: "missing", dryRun: true },
    { name: "order.paid", from, until: Date.parse("2026-11-02T12:00:00Z"), mode: "missing", dryRun: false },
  ]);
  api.answers.set("POST /api/events/replay", [202, { events: [], nextCursor: null }]);
  expect((await on(args)).stderr).toContain("nothing to replay");
});

test("EVT11 the times of replay-all are dates, times and durations, and nothing else is guessed", async () => {
  api.answers.set("POST /api/events/replay", [202, { events: [], nextCursor: null }]);
  const bodyOf = async (...times: string[]): Promise<unknown> => {
    expect((await on(["event", "replay-all", "order.paid", ...times])).exit).toBe(0);
    return api.seen.at(-1)?.body;
  };
  const utc = Date.parse("2026-11-01T12:00:00Z");
  expect(await bodyOf("--from", "2h", "--until", "30m")).toMatchObject({
    from: NOW - 7_200_000,
    until: NOW - 1_800_000,
  });
  expect(await bodyOf("--from", "2026-11-01T12:00")).toMatchObject({ from: utc });
  expect(await bodyOf("--from", "2026-11-01T13:00:00.000+01:00")).toMatchObject({ from: utc });
  const count = api.seen.length;
  for (const time of [
    "yesterday",
    "5",
    "2026",
    "2026-11",
    "11/1/2026",
    "2026-02-31",
    "1 Nov 2026",
    "2026-11-01T12",
    "-1d",
    "",
  ]) {
    for (const args of [[`--from=${time}`], ["--from", "1d", `--until=${time}`]]) {
      const { exit, stderr } = await on(["event", "replay-all", "order.paid", ...args]);
      expect([exit, stderr]).toEqual([2, expect.stringContaining("such as 2026-11-01, 2026-11-01T12:00Z")]);
      expect(stderr).toContain(JSON.stringify(time));
    }
  }
  expect(api.seen.length).toBe(count);
});
