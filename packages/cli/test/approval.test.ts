/** tests: what people are asked: the list, the page of an ask, and its answer */
import { afterEach, beforeEach, expect, test } from "vitest";
import { NOW, call } from "./call.ts";
import { type FakeApi, HOSTILE, sampleRecord, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const on = (args: readonly string[], world: Parameters<typeof call>[1] = {}) =>
  call(["approval", ...args, "--url", api.url], world);
const sent = () => api.seen.filter(({ method }) => method === "POST");

const ASK = {
  title: "Refund 42 EUR to ann?",
  details: "The parcel of **o-1** came back.\n\n- weight: 2 kg",
  schema: { type: "object", properties: { cents: { type: "integer", maximum: 4_200 } }, required: ["cents"] },
  assignees: ["role:finance", "bob"],
  risk: "high",
};
const CHOICES = {
  title: "Publish?",
  choices: [
    { label: "Approve", value: { ok: true } },
    { label: "Reject", value: { ok: false } },
  ],
};

const APPROVALS = [
  {
    runId: "refund-1",
    workflowId: "refund",
    op: "token/0/token",
    tokenId: "tok-1",
    ...ASK,
    openedAt: NOW - 60_000,
    until: NOW + 86_400_000,
  },
  {
    runId: "review-1",
    workflowId: "review",
    op: "token/0/token",
    ...CHOICES,
    assignees: [],
    openedAt: NOW - 3_600_000,
  },
];

function waiting(id: string, ...asks: readonly (readonly [tokenId: string, ask: object])[]): void {
  const pendingWaitpoints = asks.map(([tokenId, ask], n) => ({
    id: `token/${n}/token`,
    kind: "MANUAL",
    meta: { tokenId, openedAt: NOW - 60_000, ask },
    ...(n === 0 ? { wakeAt: NOW + 86_400_000 } : {}),
  }));
  api.answers.set(`GET /api/runs/${id}`, [200, sampleRecord(id, "waiting", { pendingWaitpoints })]);
}

test.each([80, 140])("CLI11 list and show print what is asked, %i columns", async (columns) => {
  api.answers.set("GET /api/approvals", [200, { approvals: APPROVALS, nextCursor: null }]);
  waiting("refund-1", ["tok-1", ASK]);
  waiting("review-1", ["tok-2", CHOICES]);
  for (const args of [["list"], ["show", "refund-1"], ["show", "review-1", "tok-2"]]) {
    const { exit, stdout, stderr } = await on(args, { columns });
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: "" });
    expect(stdout).toMatchSnapshot(args.join(" "));
    expect(Math.max(...stdout.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(columns);
  }
});

test("CLI11 CLI1 list filters on the server, and prints the entries of the API in a pipe", async () => {
  api.answers.set("GET /api/approvals", [200, { approvals: APPROVALS, nextCursor: null }]);
  const { stdout } = await on(["list", "--assignee", "role:finance", "--within", "2h"]);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual(APPROVALS);
  const query = new URL(`http://x${api.seen.at(-1)?.path}`).searchParams;
  expect(Object.fromEntries(query)).toEqual({ assignee: "role:finance", before: String(NOW + 7_200_000) });
  expect(await on(["list", "--within", "soon"])).toMatchObject({ exit: 2, stdout: "" });
  api.answers.set("GET /api/approvals", [501, { error: "index_not_configured", message: "no index" }]);
  expect(await on(["list"])).toMatchObject({ exit: 4, stdout: "" });
  waiting("refund-1", ["tok-1", ASK]);
  expect(JSON.parse((await on(["show", "refund-1"])).stdout)).toEqual({ ...APPROVALS[0], workflowId: "order" });
});

test("CLI11 answer sends the payload, or the value of a choice, to the token of the ask", async () => {
  waiting("refund-1", ["tok-1", ASK]);
  waiting("review-1", ["tok-2", CHOICES]);
  const { stdout } = await on(["answer", "refund-1", "--payload", '{ "cents": 10 }']);
  expect(JSON.parse(stdout)).toEqual({ delivery: "resolved", run: { id: "refund-1" } });
  await on(["answer", "review-1", "tok-2", "--choice", "approve"]);
  await on(["answer", "review-1", "--payload", "-"], { stdin: "null" });
  expect(sent().map(({ path, body }) => [path, body])).toEqual([
    ["/api/runs/refund-1/tokens/tok-1", { payload: { cents: 10 } }],
    ["/api/runs/review-1/tokens/tok-2", { payload: { ok: true } }],
    ["/api/runs/review-1/tokens/tok-2", { payload: null }],
  ]);
});

test("CLI11 CLI2 nothing is sent for an unknown choice, several asks, no ask or no answer", async () => {
  waiting("review-1", ["tok-2", CHOICES]);
  waiting("two", ["tok-3", CHOICES], ["tok-4", ASK]);
  waiting("silent");
  const called = async (...args: readonly string[]) => {
    const { exit, stderr } = await on(["answer", ...args]);
    return `${exit} ${stderr}`;
  };
  expect(await called("review-1", "--choice", "Maybe")).toContain(
    '2 Error: There is no choice "Maybe". The choices are: "Approve", "Reject".',
  );
  expect(await called("two", "--choice", "Approve")).toContain(
    "2 Error: The run two asks 2 things. Give the token of one:\n  tok-3  Publish?\n",
  );
  expect(await called("silent", "--payload", "1")).toContain("3 Error: The run silent asks nothing now.");
  expect(await called("review-1", "tok-9", "--choice", "Approve")).toContain(
    "3 Error: The run review-1 asks nothing with the token tok-9.",
  );
  expect(await called("none", "--payload", "1")).toContain("3 Error: not_found");
  expect(await called("review-1")).toContain("2 Error: Give an answer");
  expect(await called("review-1", "--payload", "1", "--choice", "Approve")).toMatch(/^2 /);
  expect(await called("review-1", "--payload", "{")).toContain("2 Error: --payload: not JSON at line 1");
  expect(sent()).toEqual([]);
});

test("CLI11 CLI2 an answer without the scope deliver, which shows no token, exits with 5 and sends nothing", async () => {
  const meta = { openedAt: NOW, ask: CHOICES };
  const pendingWaitpoints = [{ id: "token/0/token", kind: "MANUAL", meta }];
  api.answers.set("GET /api/runs/review-1", [200, sampleRecord("review-1", "waiting", { pendingWaitpoints })]);
  const { exit, stderr } = await on(["answer", "review-1", "--choice", "Approve"]);
  expect([exit, stderr]).toEqual([5, expect.stringContaining("needs a token with the scope deliver")]);
  expect(sent()).toEqual([]);
});

test("CLI11 what does not fit is shown at its place, and the ask stays open", async () => {
  waiting("refund-1", ["tok-1", ASK]);
  const issues = [
    { path: "/cents", message: "must be a whole number" },
    { path: "/note", message: "is required" },
    { path: "/list/1", message: "must be text" },
  ];
  const message = "The answer does not fit what is asked: /cents: must be a whole number.";
  api.answers.set("POST /api/runs/refund-1/tokens/tok-1", [
    400,
    { error: "invalid_answer", message, details: { issues } },
  ]);
  const payload = { before: 1, cents: "10", after: { a: 1, b: 2, c: 3, d: 4 }, list: ["x", 2] };
  const { exit, stdout, stderr } = await on(["answer", "refund-1", "-p", JSON.stringify(payload)]);
  expect({ exit, stdout }).toEqual({ exit: 2, stdout: "" });
  expect(stderr).toBe(`Server: ${api.url}
Error: invalid_answer: ${message}
  {
  ^ /note: is required
    "before": 1,
    "cents": "10",
             ^ must be a whole number
    "after": {
      "a": 1,
      "b": 2,
  …
    },
    "list": [
      "x",
      2
      ^ must be text
    ]
  }
The ask is still open. Answer again.
`);
});

test("CLI11 CLI2 an answer to a token that was answered exits with 4, and says who answered", async () => {
  waiting("refund-1");
  const refusal = { error: "already_resolved", message: "It was resolved.", details: { by: `ann${HOSTILE}` } };
  api.answers.set("POST /api/runs/refund-1/tokens/tok-1", [409, refusal]);
  const { exit, stderr } = await on(["answer", "refund-1", "tok-1", "--payload", "1"]);
  expect(exit).toBe(4);
  expect(stderr).toContain("Error: already_resolved: It was resolved.\n");
  expect(stderr).toContain("  by ann\\x1b[31m");
});

test("CLI7 CLI11 text of an ask never reaches a terminal raw", async () => {
  const ask = {
    title: HOSTILE,
    details: HOSTILE,
    assignees: [HOSTILE],
    risk: "low",
    choices: [{ label: HOSTILE, value: HOSTILE }],
  };
  waiting("hostile", [HOSTILE, ask]);
  const approvals = [{ ...APPROVALS[0], ...ask, runId: HOSTILE }];
  api.answers.set("GET /api/approvals", [200, { approvals, nextCursor: null }]);
  for (const args of [["list"], ["show", "hostile"], ["answer", "hostile", "--choice", "none"]]) {
    const { stdout, stderr } = await on(args, { columns: 80 });
    expect(stdout + stderr, args.join(" ")).not.toMatch(/[^\P{C}\n]/u);
  }
});
