/** tests: the list of open asks over all runs, and answers to them, over HTTP (ASK4 to ASK7) */
import { workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { type Mock, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type RunIndex, bearerAuth, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf, tokenOf } from "./fake-platform.ts";

const review = workflow({
  id: "review",
  run: async (input: { ask: { title: string }; timeout?: number; signal?: string }, ctx) => {
    const { ask, timeout, signal } = input;
    const answer = await ctx.waitForToken({ ask, ...(timeout === undefined ? {} : { timeout }) }).wait();
    if (signal !== undefined) await ctx.waitForSignal(signal);
    return answer;
  },
});

interface Listed {
  readonly approvals: readonly (Record<string, unknown> & { readonly runId: string; readonly tokenId: string })[];
  readonly nextCursor: string | null;
}

const START = 1_700_000_000_000;

function deploy(binding = new FakeIndexNamespace(), more: { runIndex?: RunIndex; tenants?: boolean } = {}) {
  const { runIndex = durableObjectIndex({ binding, bucketMs: 60_000 }) } = more;
  const verifyRequest = bearerAuth([
    { token: tokenOf("ann"), subject: "ann", scopes: ["trigger", "read", "deliver", "operate", "admin"] },
    { token: tokenOf("reader"), subject: "reader", scopes: ["read"] },
    { token: tokenOf("sender"), subject: "sender", scopes: ["deliver"] },
    { token: tokenOf("other"), subject: "bob", scopes: ["trigger", "read", "deliver"], tenantId: "other" },
  ]);
  const api = new FakeDeployment([review], { runIndex, verifyRequest }, undefined, { runIndex });
  const as = (name: string): Record<string, string> => ({ Authorization: `Bearer ${tokenOf(name)}` });
  const list = async (query = "", name = "ann"): Promise<Listed> => {
    const { status, body } = await answerOf(await api.fetch(`/api/approvals?${query}`, { headers: as(name) }));
    expect(status).toBe(200);
    return body as never;
  };
  const start = (runId: string, input: object, name = "ann"): Promise<Response> =>
    api.fetch("/api/runs", {
      json: { runId, workflowId: "review", input },
      headers: { ...as(name), Prefer: "wait=5" },
    });
  const answer = async (runId: string, tokenId: string, payload: unknown, name = "ann") =>
    answerOf(await api.fetch(`/api/runs/${runId}/tokens/${tokenId}`, { json: { payload }, headers: as(name) }));
  const lists = (query: string, ids: readonly string[]): Promise<Listed> =>
    vi.waitFor(async () => {
      const found = await list(query);
      expect(found.approvals.map(({ runId }) => runId)).toEqual(ids);
      return found;
    });
  return { api, as, list, lists, start, answer };
}

let now: Mock<() => number>;
beforeEach(() => {
  now = vi.spyOn(Date, "now").mockReturnValue(START);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const ASK = {
  title: "Refund?",
  details: "**Lost**",
  choices: [{ label: "Yes", value: "yes" }],
  assignees: ["role:finance"],
  risk: "high",
} as const;

describe("the list of approvals", () => {
  test("ASK6 has the open asks of all runs with the earliest deadline first, and an answered one leaves it", async () => {
    const { lists, start, answer } = deploy();
    await start("none", { ask: { title: "Whenever?" } });
    await start("late", { ask: ASK, timeout: 7_200_000 });
    now.mockReturnValue(START + 120_000);
    await start("soon", { ask: ASK, timeout: 3_600_000, signal: "go" });
    const { approvals, nextCursor } = await lists("", ["soon", "late", "none"]);
    expect(nextCursor).toBeNull();
    expect(approvals[0]).toEqual({
      runId: "soon",
      workflowId: "review",
      op: "token/0/token",
      tokenId: expect.stringMatching(/^[0-9a-f]{32}$/),
      ...ASK,
      openedAt: START + 120_000,
      until: START + 3_720_000,
    });
    expect(approvals[2]).not.toHaveProperty("until");
    expect(approvals[2]).toMatchObject({ assignees: [] });
    // The run waits again at once, so its status in the index is the same as before.
    expect(await answer("soon", approvals[0]?.tokenId ?? "", "yes")).toMatchObject({ status: 202 });
    await lists("", ["late", "none"]);
  });

  test("ASK6 is filtered by assignee and by deadline, and read in pages", async () => {
    const { list, lists, start } = deploy();
    for (let nth = 0; nth < 5; nth++) {
      now.mockReturnValue(START + nth * 120_000);
      await start(`r${nth}`, { ask: { ...ASK, assignees: nth % 2 === 0 ? ["ann"] : [] }, timeout: 86_400_000 });
    }
    await lists("", ["r0", "r1", "r2", "r3", "r4"]);
    await lists("assignee=ann", ["r0", "r2", "r4"]);
    await lists(`before=${START + 86_400_000 + 240_000}`, ["r0", "r1"]);
    const first = await lists("limit=2", ["r0", "r1"]);
    const second = await lists(`limit=2&cursor=${first.nextCursor}`, ["r2", "r3"]);
    await lists(`limit=2&cursor=${second.nextCursor}`, ["r4"]);
    const pages = await list(`limit=1&assignee=ann&cursor=${first.nextCursor}`);
    expect(pages.approvals).toMatchObject([{ runId: "r2" }]);
  });

  test("ASK6 leaves out asks that are past their deadline, before their run has noticed", async () => {
    const { lists, start } = deploy();
    await start("a", { ask: ASK, timeout: 3_600_000 });
    await lists("", ["a"]);
    now.mockReturnValue(START + 3_600_000);
    await lists("", []);
  });

  test("ASK6 shows the id of a token only with the scope deliver, needs read, and no other tenant's asks", async () => {
    const { api, as, list, lists, start } = deploy();
    await start("mine", { ask: ASK });
    await start("theirs", { ask: ASK }, "other");
    await lists("", ["mine"]);
    await expect.poll(async () => (await list("", "other")).approvals).toMatchObject([{ runId: "theirs" }]);
    const [seen] = (await list("", "reader")).approvals;
    expect(seen).toMatchObject({ runId: "mine", title: "Refund?" });
    expect(seen).not.toHaveProperty("tokenId");
    expect((await api.fetch("/api/approvals", { headers: as("sender") })).status).toBe(403);
  });

  test("ASK6 is not implemented without an index, or with an index that cannot list asks", async () => {
    const none = new FakeDeployment([review]);
    expect(await answerOf(await none.fetch("/api/approvals"))).toMatchObject({
      status: 501,
      body: { error: "index_not_configured" },
    });
    const runIndex: RunIndex = {
      upsert: async () => {},
      remove: async () => {},
      query: async () => ({ runs: [], next: undefined }),
    };
    const { api, as, start } = deploy(undefined, { runIndex });
    await start("a", { ask: ASK });
    const answer = await answerOf(await api.fetch("/api/approvals", { headers: as("ann") }));
    expect(answer).toMatchObject({ status: 501, body: { message: expect.stringContaining("no method approvals") } });
  });

  test.each([
    "cursor=x",
    "cursor=WzFd",
    "before=soon",
    "limit=0",
    "limit=201",
    `assignee=${"x".repeat(129)}`,
    "who=me",
  ])("ASK6 refuses the query %s", async (query) => {
    const { api, as } = deploy();
    const answer = await answerOf(await api.fetch(`/api/approvals?${query}`, { headers: as("ann") }));
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_query" } });
  });

  test("ASK5 is complete again after the index is lost and rebuilt", async () => {
    const binding = new FakeIndexNamespace();
    const { api, as, lists, start } = deploy(binding);
    await start("a", { ask: ASK });
    await start("b", { ask: ASK });
    await lists("", ["a", "b"]);
    binding.shards.clear();
    await lists("", []);
    await api.fetch("/api/index/rebuild", { json: { runIds: ["a", "b"] }, headers: as("ann") });
    await lists("", ["a", "b"]);
  });

  test("ASK5 has the text of a large ask without its details, which the record has", async () => {
    const { api, as, lists, start } = deploy();
    const details = "x".repeat(10_000);
    await start("a", { ask: { ...ASK, details } });
    const [ask] = (await lists("", ["a"])).approvals;
    expect(ask).toMatchObject({ title: "Refund?", assignees: ["role:finance"], risk: "high", truncated: true });
    expect(ask).not.toHaveProperty("details");
    const { body } = await answerOf(await api.fetch("/api/runs/a", { headers: as("ann") }));
    expect(body).toMatchObject({
      pendingWaitpoints: [{ kind: "MANUAL", meta: { ask: { ...ASK, details } } }],
      why: [{ code: "WAITING_FOR_TOKEN", text: "Waits for the answer to “Refund?”." }],
    });
  });

  test("ASK5 a deleted run leaves the list, and a row of earlier code removes the asks of its run", async () => {
    const binding = new FakeIndexNamespace();
    const runIndex = durableObjectIndex({ binding });
    const ask = { op: "token/0/token", title: "Well?", assignees: [], openedAt: START } as const;
    const row = {
      id: "a",
      workflowId: "review",
      workflowVersion: undefined,
      status: "waiting",
      tags: [],
      environment: "test",
      triggeredBy: "api",
      tenantId: undefined,
      createdAt: START,
      updatedAt: START,
      version: 1,
    } as const;
    const query = { now: START, limit: 10 };
    await runIndex.upsert({ ...row, asks: [ask] });
    expect(await runIndex.approvals?.(undefined, query)).toMatchObject({ asks: [{ runId: "a" }], next: undefined });
    const [shard] = [...binding.shards].flatMap(([name, sql]) => (name.startsWith("shards") ? [] : [sql]));
    // Earlier code knows nothing of the table of asks.
    shard?.exec("UPDATE runs SET version = 2");
    expect(await runIndex.approvals?.(undefined, query)).toMatchObject({ asks: [] });
    await runIndex.upsert({ ...row, version: 3, asks: [ask] });
    expect(await runIndex.approvals?.(undefined, query)).toMatchObject({ asks: [{ runId: "a" }] });
    await runIndex.remove({ id: "a", tenantId: undefined, createdAt: START });
    expect(await runIndex.approvals?.(undefined, query)).toMatchObject({ asks: [] });
    expect([...(shard?.exec("SELECT * FROM asks") ?? [])]).toEqual([]);
  });
});

describe("the client", () => {
  test("ASK6 iterates over the approvals, page by page", async () => {
    const { api, lists, start } = deploy();
    for (const id of ["a", "b", "c"]) await start(id, { ask: ASK });
    await lists("", ["a", "b", "c"]);
    const client = createClient({
      url: "https://flows.example",
      token: tokenOf("ann"),
      fetch: (request) => api.handle(request),
    });
    const found: string[] = [];
    for await (const { runId, title } of client.approvals({ limit: 1, assignee: "role:finance" }))
      found.push(runId + title);
    expect(found).toEqual(["aRefund?", "bRefund?", "cRefund?"]);
    await expect(client.approvals({ who: "me" } as object).next()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });
});

describe("an answer", () => {
  test("ASK4 after the first one is refused, and readers learn who gave it", async () => {
    const { lists, start, answer } = deploy();
    await start("a", { ask: ASK, signal: "go" });
    const tokenId = (await lists("", ["a"])).approvals[0]?.tokenId ?? "";
    expect(await answer("a", tokenId, "yes", "sender")).toMatchObject({ status: 202 });
    const refused = await answer("a", tokenId, "yes");
    expect(refused).toMatchObject({ status: 409, body: { error: "already_resolved", details: { by: "sender" } } });
    expect((await answer("a", tokenId, "yes", "sender")).body).not.toHaveProperty("details");
  });
});
