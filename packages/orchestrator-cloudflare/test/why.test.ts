/** tests: the reasons in the record, those of children on request, and those in lists (WHY1 to WHY6) */
import { DEFAULT_LIMITS, HOST_LIMITS, WHY_ACTIONS, type WhyAction, type WhyEntry } from "@holdfast/protocol";
import { RetryableError, type Workflow, workflow } from "@holdfast/workflows";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ROUTES } from "../src/api/routes.ts";
import { type Scope, SCOPES } from "../src/auth/principal.ts";
import { durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const flaky = workflow({
  id: "flaky",
  run: (_input, ctx) =>
    ctx.step("charge", { retry: { max: 5 } }, () =>
      Promise.reject(new RetryableError("declined", { retryAfter: "1h" })),
    ),
});

/** Invokes itself `n` times, one in another, and then waits for a token. */
const chain: Workflow<number> = workflow({
  id: "chain",
  run: (n: number, ctx) => (n > 0 ? ctx.invoke(chain, n - 1) : ctx.waitForToken().wait()),
});

const leaf = workflow({ id: "leaf", run: (_input, ctx) => ctx.waitForSignal("go") });

const fan = workflow({
  id: "fan",
  run: (n: number, ctx) => Promise.all(Array.from({ length: n }, () => ctx.invoke(leaf, undefined))),
});

/** Waits for a child that waits for this run. */
const circle: Workflow<string> = workflow({
  id: "circle",
  run: (next: string, ctx) => ctx.invoke(circle, next === "A" ? "B" : "A", { idempotencyKey: next }),
});

const many = workflow({
  id: "many",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => i);
    await ctx.waitForSignal("go");
  },
});

const WORKFLOWS = [flaky, chain, leaf, fan, circle, many];

let api: FakeDeployment;
beforeEach(() => {
  api = new FakeDeployment(WORKFLOWS);
});
afterEach(() => {
  vi.useRealTimers();
});

async function start(workflowId: string, input?: unknown, on: FakeDeployment = api): Promise<void> {
  await on.fetch("/api/runs", { json: { runId: "r", workflowId, input }, headers: { Prefer: "wait=5" } });
}

async function reasons(query = "", on: FakeDeployment = api, headers: HeadersInit = {}): Promise<WhyEntry[]> {
  return ((await answerOf(await on.fetch(`/api/runs/r${query}`, { headers }))).body as { why: WhyEntry[] }).why;
}

const codes = (entries: readonly WhyEntry[]): string[] => entries.map(({ code }) => code);

describe("the record", () => {
  test("WHY1 WHY2 STEP2 a step that is tried again says which attempt is next, when, and why the last one failed", async () => {
    await start("flaky");
    const expected = [
      {
        code: "STEP_RETRYING",
        text: 'Attempt 2 of 5 of step "charge" comes next. RETRYABLE: declined',
        since: expect.any(Number),
        until: api.storageOf("r").alarmAt,
        for: { kind: "step", name: "charge", occurrence: 0 },
        attempt: 2,
        attemptsMax: 5,
        error: { code: "RETRYABLE", message: "declined" },
        actions: [],
      },
    ];
    expect(await reasons()).toEqual(expected);
    api.evict("r");
    expect(await reasons()).toEqual(expected);
  });

  test("WHY3 each action is a route with its scope, and what is listed is accepted and helps", async () => {
    for (const [id, { scope, path }] of Object.entries(WHY_ACTIONS)) {
      const route = ROUTES.find((one) => one.id === id);
      const end = id === "resolveToken" ? "/:tokenId" : "";
      expect([route?.verb, route?.scope, route?.path]).toEqual(["POST", scope, `/api/runs/:id/${path}${end}`]);
    }
    const act = async ({ path = "", body = {} }: WhyAction): Promise<number> =>
      (await api.fetch(path, { json: path.endsWith("terminate") ? { reason: "enough" } : body })).status;
    await start("chain", 0);
    await api.fetch("/api/runs/r/pause", { json: { reason: "lunch" } });
    const [paused] = await reasons();
    expect(paused).toMatchObject({ code: "PAUSED_BY_OPERATOR", text: expect.stringMatching(/^Paused by .*: lunch$/) });
    expect(await act(paused?.actions[0] as WhyAction)).toBe(202);
    const [token] = await reasons();
    expect(token?.code).toBe("WAITING_FOR_TOKEN");
    expect(await act(token?.actions[0] as WhyAction)).toBe(202);
    await vi.waitUntil(async () => codes(await reasons())[0] === "COMPLETED", { interval: 1 });
    expect((await reasons())[0]).toMatchObject({ text: "The run ended: completed.", actions: [] });
  });

  test("WHY3 RES1 a cancelled run lists resumeRun, which is accepted", async () => {
    await start("leaf");
    await api.fetch("/api/runs/r/cancel", { json: {} });
    await api.fetch("/api/runs/r", { headers: { Prefer: "wait=5" } });
    const [cancelled] = await reasons();
    expect(cancelled).toMatchObject({ code: "CANCELLED", error: { code: "CANCELLED" } });
    const [{ path = "" } = {}] = cancelled?.actions ?? [];
    expect((await api.fetch(path, { json: {} })).status).toBe(201);
  });

  test("WHY1 SEC2 the audit has the reason of a pause", async () => {
    await start("leaf");
    await api.fetch("/api/runs/r/pause", { json: { reason: "lunch" } });
    const { body } = await answerOf(await api.fetch("/api/runs/r/audit"));
    expect(body["entries"]).toContainEqual(expect.objectContaining({ action: "pause", detail: "lunch" }));
  });

  test("WHY1 REP6 the record of a long run reads no more of the journal than it did without its reasons", async () => {
    const { recordSteps } = DEFAULT_LIMITS;
    await start("many", 3 * recordSteps);
    await vi.waitUntil(async () => codes(await reasons())[0] === "WAITING_FOR_SIGNAL", {
      interval: 10,
      timeout: 20_000,
    });
    api.evict("r");
    await reasons();
    const { reads } = api.storageOf("r");
    const before = { ...reads };
    await reasons();
    // The first entries, and the next one: once to find data of newer code, and once to show them.
    expect(reads.rowsListed - before.rowsListed).toBe(2 * (recordSteps + 1));
  }, 180_000);

  test("WHY6 SEC7 a reader without deliver sees neither the id of a token nor a path with it", async () => {
    const verifyRequest = ({ headers }: Request) => ({
      subject: "ann",
      scopes: SCOPES.filter((scope) => headers.get("Scopes")?.includes(scope) ?? true),
    });
    const shared = new FakeDeployment(WORKFLOWS, { verifyRequest });
    await start("chain", 1, shared);
    const seenWith = (scopes: readonly Scope[]): Promise<WhyEntry[]> =>
      reasons("?why=deep", shared, { Scopes: scopes.join() });
    await vi.waitUntil(async () => codes(await seenWith(SCOPES))[0] === "WAITING_FOR_TOKEN", { interval: 1 });
    const [all] = await seenWith(SCOPES);
    const tokenId = all?.for?.tokenId ?? "";
    expect([tokenId.length > 0, all?.actions[0]?.path]).toEqual([true, expect.stringContaining(tokenId)]);
    const shown = await seenWith(["read", "operate"]);
    expect(shown[0]).toMatchObject({ code: "WAITING_FOR_TOKEN", actions: [{ action: "resolveToken" }] });
    expect(JSON.stringify(shown)).not.toContain(tokenId);
  });
});

describe("children", () => {
  const rowsOf = (): number => [...api.storages.values()].reduce((sum, { writes }) => sum + writes, 0);

  async function settled(first: string, count: number): Promise<WhyEntry[]> {
    let entries: WhyEntry[] = [];
    const isSettled = async (): Promise<boolean> => {
      entries = await reasons("?why=deep");
      return entries.length === count && entries[0]?.code === first;
    };
    await vi.waitUntil(isSettled, { interval: 5 });
    return entries;
  }

  test("WHY4 the deepest cause is first, and each entry names its run and generation; reading stores nothing", async () => {
    await start("chain", 3);
    const entries = await settled("WAITING_FOR_TOKEN", 4);
    expect(entries.map(({ code, level }) => [code, level])).toEqual([
      ["WAITING_FOR_TOKEN", 3],
      ["WAITING_FOR_CHILD", 2],
      ["WAITING_FOR_CHILD", 1],
      ["WAITING_FOR_CHILD", undefined],
    ]);
    for (const [i, { runId }] of entries.slice(0, -1).entries()) expect(entries[i + 1]?.for?.runId).toBe(runId);
    expect(entries[0]?.actions[0]?.path).toContain(`/api/runs/${encodeURIComponent(entries[0]?.runId ?? "")}/tokens/`);
    const before = [api.storages.size, rowsOf()];
    await reasons("?why=deep");
    expect([api.storages.size, rowsOf()]).toEqual(before);
    expect(codes(await reasons())).toEqual(["WAITING_FOR_CHILD"]);
  });

  test("WHY4 of 10 generations 8 are followed, and the last entry counts the rest", async () => {
    await start("chain", 10);
    const entries = await settled("WAITING_FOR_CHILD", HOST_LIMITS.whyLevels + 2);
    expect([entries[0]?.level, entries.at(-1)]).toMatchObject([8, { code: "MORE", more: 1 }]);
  });

  test("WHY4 of 15 children with children of their own 20 runs are read", async () => {
    const family = workflow({
      id: "family",
      run: (_input: undefined, ctx) => Promise.all(Array.from({ length: 15 }, () => ctx.invoke(chain, 1))),
    });
    api = new FakeDeployment([family, chain]);
    await start("family");
    const entries = await settled("WAITING_FOR_TOKEN", 5 + 15 + 15 + 1);
    const levels = Map.groupBy(entries, ({ level }) => level);
    expect([levels.get(2)?.length, levels.get(1)?.length]).toEqual([5, 15]);
    // The children that are not read may start later.
    await expect.poll(async () => (await reasons("?why=deep")).at(-1)).toMatchObject({ code: "MORE", more: 10 });
  });

  test("WHY4 WHY2 of 25 children the record lists 20, and these are read", async () => {
    await start("fan", 25);
    const entries = await settled("WAITING_FOR_SIGNAL", 20 + 20 + 1);
    expect(entries.at(-1)).toMatchObject({ code: "MORE", more: 5 });
  });

  test("WHY4 runs that wait for each other are each read once", async () => {
    await api.fetch("/api/runs", { json: { idempotencyKey: "A", workflowId: "circle", input: "B" } });
    await vi.waitUntil(() => api.storages.size >= 2, { interval: 1 });
    const id = [...api.storages.keys()].find((name) => name.startsWith("key-")) ?? "";
    const ofCircle = async (): Promise<WhyEntry[]> =>
      ((await answerOf(await api.fetch(`/api/runs/${id}?why=deep`))).body as { why: WhyEntry[] }).why;
    await vi.waitUntil(async () => codes(await ofCircle()).join() === "WAITING_FOR_CHILD,WAITING_FOR_CHILD", {
      interval: 5,
    });
  });

  test("WHY4 a child that gives no answer within 2 s is a reason itself, and so is one that is gone", async () => {
    await start("chain", 1);
    const entries = await settled("WAITING_FOR_TOKEN", 2);
    const childId = entries[0]?.runId ?? "";
    const { runDO } = api;
    const hangs = new FakeDeployment(WORKFLOWS, {
      runDO: {
        idFromName: (name) => name,
        get: (name) => (name === childId ? { fetch: () => new Promise(() => {}) } : runDO.get(name as string)),
      },
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const answer = reasons("?why=deep", hangs);
    await vi.waitUntil(() => vi.getTimerCount() > 0 && vi.advanceTimersByTime(HOST_LIMITS.whyMs), { interval: 1 });
    expect(await answer).toMatchObject([
      { code: "CHILD_NOT_READ", runId: childId, level: 1, since: entries[1]?.since, actions: [] },
      { code: "WAITING_FOR_CHILD" },
    ]);
    vi.useRealTimers();
    api.storageOf(childId).rows.clear();
    api.evict(childId);
    expect(codes(await reasons("?why=deep"))).toEqual(["CHILD_NOT_READ", "WAITING_FOR_CHILD"]);
    expect(api.storageOf(childId).rows.size).toBe(0);
  });

  test("WHY4 LIM2 SEC7 another value is refused, and without read there is nothing to follow", async () => {
    await start("leaf");
    expect(await answerOf(await api.fetch("/api/runs/r?why=all"))).toMatchObject({
      status: 400,
      body: { error: "invalid_query", details: { issues: [{ path: "why" }] } },
    });
    expect((await api.fetch("/api/runs/r?other=1")).status).toBe(200);
    expect((await api.fetch("/api/runs/unknown?why=deep")).status).toBe(404);
  });
});

describe("lists", () => {
  interface Listed {
    readonly id: string;
    readonly updatedAt: number;
    readonly why?: object;
  }

  test("WHY5 IDX1 a list has the code, the times and the age of the reason, from the row of each change of status", async () => {
    const upserts: string[] = [];
    const inner = durableObjectIndex({ binding: new FakeIndexNamespace() });
    const runIndex: typeof inner = {
      upsert: (row) => {
        upserts.push(row.status);
        return inner.upsert(row);
      },
      remove: (run) => inner.remove(run),
      query: (tenantId, query) => inner.query(tenantId, query),
    };
    api = new FakeDeployment(WORKFLOWS, { runIndex }, undefined, { runIndex });
    const list = async (): Promise<Listed[]> =>
      ((await answerOf(await api.fetch("/api/runs"))).body as { runs: Listed[] }).runs;
    await start("leaf");
    const listed = (code: string, more: object = {}) => [
      expect.objectContaining({ why: { code, since: expect.any(Number), asOf: expect.any(Number), ...more } }),
    ];
    await expect.poll(list, { interval: 1 }).toEqual(listed("WAITING_FOR_SIGNAL"));
    await api.fetch("/api/runs/r/pause", { json: {} });
    await expect.poll(list, { interval: 1 }).toEqual(listed("PAUSED_BY_OPERATOR"));
    const [row] = await list();
    expect(row?.why).toMatchObject({ asOf: row?.updatedAt });
    expect(upserts).toEqual(["running", "waiting", "paused"]);
  });

  test("WHY5 a reason whose time is over is omitted, and so is that of a row of an earlier version", async () => {
    const namespace = new FakeIndexNamespace();
    const runIndex = durableObjectIndex({ binding: namespace });
    api = new FakeDeployment(WORKFLOWS, { runIndex });
    const row = {
      version: 1,
      workflowId: "leaf",
      workflowVersion: undefined,
      tenantId: undefined,
      status: "waiting",
      tags: [],
      environment: "test",
      triggeredBy: "api",
      createdAt: 1,
      updatedAt: 5,
    } as const;
    const why = { code: "SLEEPING", since: 4 } as const;
    await runIndex.upsert({ ...row, id: "over", why: { ...why, until: Date.now() - 1 } });
    await runIndex.upsert({ ...row, id: "sleeps", createdAt: 2, why: { ...why, until: Date.now() + 60_000 } });
    await runIndex.upsert({ ...row, id: "old", createdAt: 3 });
    const { runs } = (await answerOf(await api.fetch("/api/runs"))).body as { runs: Listed[] };
    expect(runs.map(({ id, why: shown }) => [id, shown])).toEqual([
      ["old", undefined],
      ["sleeps", { ...why, until: expect.any(Number), asOf: 5 }],
      ["over", undefined],
    ]);
  });
});
