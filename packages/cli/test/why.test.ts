/** tests: why a run does not move, as a tree for people and as the API's entries, and the addresses of pages */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { browserCommand } from "../src/local/browser.ts";
import { NOW, call, emptyFolder } from "./call.ts";
import { type FakeApi, HOSTILE, sampleRecord, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call([...args, "--url", api.url], world);

const MINUTE = 60_000;

/** A trip that waits for a booking, which waits for a payment that is tried again; and for a person. */
const DEEP: readonly Record<string, unknown>[] = [
  {
    code: "STEP_RETRYING",
    text: 'Attempt 3 of 5 of step "charge" comes next. Error: the bank does not answer',
    since: NOW - MINUTE,
    until: NOW + 5_000,
    for: { kind: "step", name: "charge", occurrence: 0 },
    attempt: 3,
    attemptsMax: 5,
    error: { code: "ETIMEDOUT", message: "the bank does not answer" },
    runId: "pay 1",
    level: 2,
    actions: [],
  },
  waitForChild("pay 1", { runId: "book-1", level: 1, since: NOW - 2 * MINUTE }),
  {
    code: "CHILD_NOT_READ",
    text: "The child gave no answer.",
    since: NOW - MINUTE,
    runId: "hotel-1",
    level: 1,
    actions: [],
  },
  {
    code: "WAITING_FOR_TOKEN",
    text: 'Waits for the answer to token "token".',
    since: NOW - 3 * MINUTE,
    until: NOW + 86_400_000,
    for: { kind: "token", name: "token", occurrence: 0, tokenId: "tok/1" },
    actions: [{ action: "resolveToken", scope: "deliver", path: "/api/runs/trip/tokens/tok%2F1" }],
  },
  waitForChild("book-1", { since: NOW - 3 * MINUTE }),
  waitForChild("hotel-1", { since: NOW - 3 * MINUTE }),
  { code: "MORE", text: "There are 4 further reasons.", since: NOW - MINUTE, more: 4, actions: [] },
];

function waitForChild(runId: string, more: object): Record<string, unknown> {
  const target = { kind: "child", name: "book", occurrence: 0, runId };
  return {
    code: "WAITING_FOR_CHILD",
    text: `Waits for child "book", run ${runId}.`,
    for: target,
    actions: [],
    ...more,
  };
}

function answer(id: string, why: unknown, status = "waiting"): void {
  api.answers.set(`GET /api/runs/${id}`, [200, sampleRecord(id, status, { why })]);
}

test.each([80, 140])(
  "CLI9 why shows the reasons of a run, and those of its children below their waits, %i columns",
  async (columns) => {
    answer("trip", DEEP);
    const { exit, stdout, stderr } = await on(["why", "trip"], { columns });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toMatchSnapshot();
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
    expect(api.seen.at(-1)?.path).toBe("/api/runs/trip?why=deep");
  },
);

test("CLI9 why names the verb for each action, with the words of a shell quoted", async () => {
  const actions = [
    { action: "unpauseRun" },
    { action: "retryRun" },
    { action: "cancelRun" },
    { action: "terminateRun" },
    { action: "resumeRun" },
    { action: "deliverSignal", body: { name: "it's" } },
    { action: "deliverEvent", body: { eventType: "stock.changed" } },
    { action: "resolveToken" },
  ];
  answer("a", [{ code: "FAILED", text: "The run ended: failed.", since: NOW, runId: "$(a)", actions }], "failed");
  api.answers.set("GET /api/runs/a", [
    200,
    sampleRecord("$(a)", "failed", { why: [{ code: "FAILED", text: "It failed.", since: NOW, actions }] }),
  ]);
  const { stdout } = await on(["why", "a"], { columns: 200 });
  expect(stdout.match(/(?<=helps: ).*/g)).toEqual([
    "holdfast unpause '$(a)'",
    "holdfast retry '$(a)'",
    "holdfast cancel '$(a)'",
    "holdfast terminate '$(a)' --reason TEXT",
    "holdfast resume '$(a)'",
    "holdfast signal '$(a)' 'it'\\''s' --input JSON",
    "holdfast event send '$(a)' stock.changed --input JSON",
    "holdfast token answer '$(a)' --input JSON",
  ]);
});

test("CLI9 CLI1 in a pipe why prints the entries of the API, and with --output id each run once, the deepest first", async () => {
  answer("trip", DEEP);
  const { stdout } = await on(["why", "trip"]);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(DEEP);
  expect(JSON.parse((await on(["why", "trip", "-o", "json"])).stdout)).toEqual(DEEP);
  expect((await on(["why", "trip", "-o", "id"])).stdout).toBe("pay 1\nbook-1\nhotel-1\ntrip\n");
});

test("CLI9 CLI2 why of no run exits with 3, without the scope with 5, and an exported run needs no server", async () => {
  expect(await on(["why", "none"])).toMatchObject({ exit: 3, stdout: "" });
  api.answers.set("GET /api/runs/hidden", [200, { id: "hidden", status: "waiting" }]);
  const hidden = await on(["why", "hidden"]);
  expect(hidden).toMatchObject({ exit: 5, stdout: "", stderr: expect.stringContaining("no scope read") });
  answer("trip", DEEP);
  const cwd = emptyFolder();
  writeFileSync(join(cwd, "trip.json"), (await on(["export", "trip"])).stdout);
  expect((await call(["why", "@trip.json", "-o", "id"], { cwd })).stdout).toBe("pay 1\nbook-1\nhotel-1\ntrip\n");
});

test("CLI7 reasons never reach a terminal raw", async () => {
  const actions = [{ action: "deliverSignal", body: { name: HOSTILE } }];
  const error = { code: HOSTILE, message: HOSTILE };
  const entry = { code: "FAILED", text: HOSTILE, since: NOW, error: { ...error, message: "other" }, progress: HOSTILE };
  answer("hostile", [
    { ...entry, actions },
    { ...entry, error, runId: HOSTILE, actions },
  ]);
  for (const format of ["table", "json", "id"])
    expect((await on(["why", "hostile", "-o", format], { columns: 80 })).stdout).not.toMatch(/[^\P{C}\n]/u);
});

test("CLI10 open prints the address of a page, without a token, and opens it only on a terminal", async () => {
  const opened: string[] = [];
  const openPage = async (url: string) => opened.push(url) > 0;
  const env = { HOLDFAST_TOKEN: "a-secret-token-1" };
  const page = `${api.url}/ui/runs/a%2Fb%20%3Fc`;
  expect(await on(["open", "a/b ?c"], { openPage, env })).toMatchObject({ exit: 0, stdout: `${page}\n`, stderr: "" });
  expect((await on(["open", "a/b ?c", "--print"], { columns: 80, openPage, env })).stdout).toBe(`${page}\n`);
  expect(JSON.parse((await on(["open", "-o", "json"], { openPage })).stdout)).toEqual({ url: `${api.url}/ui/` });
  expect(opened).toEqual([]);
  const { stdout, stderr } = await on(["open", "a/b ?c"], { columns: 80, openPage, env });
  expect(stdout).toBe(`${page}\n`);
  expect(stderr).toBe("The page asks for a token once: take that of HOLDFAST_TOKEN.\n");
  expect(opened).toEqual([page]);
  expect(api.seen).toEqual([]);
  const without = await on(["open"], { columns: 80 });
  expect(without).toMatchObject({ exit: 0, stderr: "No browser can be opened here. Open the address yourself.\n" });
});

test("CLI10 the browser is that of the platform, and none over SSH or without a display", () => {
  const url = "http://127.0.0.1/ui/";
  expect(browserCommand(url, {}, "darwin")).toEqual(["open", url]);
  expect(browserCommand(url, { DISPLAY: ":0" }, "linux")).toEqual(["xdg-open", url]);
  expect(browserCommand(url, { WSL_DISTRO_NAME: "Debian" }, "linux")).toEqual(["explorer.exe", url]);
  expect(browserCommand(url, {}, "win32")?.at(-1)).toBe(url);
  for (const env of [{}, { DISPLAY: ":0", SSH_CONNECTION: "1" }])
    expect(browserCommand(url, env, "linux")).toBeUndefined();
});
