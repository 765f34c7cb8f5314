/** tests: `GET /metrics`, its format, its bounds, and whose numbers it shows (OBS3) */
import type { IndexRow } from "@holdfast/orchestrator";
import { HOLDFAST_VERSION, HOST_LIMITS, RUN_STATUSES } from "@holdfast/protocol";
import { expectOutput } from "@holdfast/proof/output";
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type RunCount, type RunIndex, type WorkerDeps, bearerAuth, durableObjectIndex } from "../src/index.ts";
import { IndexShard } from "../src/index-object/index-shard.ts";
import { LagWindow, fewWorkflows } from "../src/index-object/run-counts.ts";
import { parseExposition } from "./exposition.ts";
import { FakeDeployment, FakeIndexNamespace, FakeSql, answerOf, tokenOf } from "./fake-platform.ts";

const HOSTILE = 'a"b\\c\nd{e="f"} 1\n# TYPE x counter';

function rowOf(id: string, more: Partial<IndexRow> = {}): IndexRow {
  const createdAt = Date.now() - 90_000;
  const fixed = { version: 1, workflowVersion: undefined, tags: [], environment: "e", triggeredBy: "t" };
  return { id, workflowId: "order", status: "waiting", createdAt, updatedAt: createdAt, ...fixed, ...more };
}

class Metrics {
  readonly binding = new FakeIndexNamespace();
  readonly index: RunIndex = durableObjectIndex({ binding: this.binding });
  readonly api: FakeDeployment;

  constructor(deps: Partial<WorkerDeps> = {}) {
    this.api = new FakeDeployment([], { runIndex: this.index, ...deps });
  }

  async store(...rows: readonly IndexRow[]): Promise<void> {
    for (const row of rows) await this.index.upsert(row);
  }

  async text(token = "operator"): Promise<string> {
    const answer = await this.api.fetch("/metrics", { headers: { Authorization: `Bearer ${tokenOf(token)}` } });
    expect([answer.status, answer.headers.get("Content-Type")]).toEqual([
      200,
      "text/plain; version=0.0.4; charset=utf-8",
    ]);
    return answer.text();
  }

  /** The value of each sample that is not 0, by the texts of its labels. */
  async read(name: string, token?: string): Promise<Record<string, number>> {
    const family = parseExposition(await this.text(token)).get(name);
    if (family === undefined) throw new Error(`assertion: no metric ${name}`);
    const samples = family.samples.map(({ labels, value }) => [Object.values(labels).join(), value] as const);
    return Object.fromEntries(samples.filter(([, value]) => value !== 0));
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe("the gauges", () => {
  test("OBS3 count the runs by workflow and status, and show the age of the oldest in each status", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
    const metrics = new Metrics();
    const created = (secondsAgo: number): Partial<IndexRow> => ({ createdAt: Date.now() - secondsAgo * 1_000 });
    await metrics.store(
      rowOf("a"),
      rowOf("b"),
      rowOf("c", { status: "paused", ...created(40) }),
      rowOf("d", { status: "paused", ...created(50) }),
      rowOf("e", { status: "running", workflowId: "bill", ...created(7.5) }),
    );
    expect(await metrics.read("holdfast_runs")).toEqual({ "order,waiting": 2, "order,paused": 2, "bill,running": 1 });
    expect(await metrics.read("holdfast_oldest_run_age_seconds")).toEqual({ paused: 50, running: 7.5 });
    expect(await metrics.read("holdfast_build_info")).toEqual({ [HOLDFAST_VERSION]: 1 });
    expect(await metrics.read("holdfast_index_shards_unread")).toEqual({});
  });

  test("OBS3 name every status of a workflow, so a number that becomes 0 does not vanish", async () => {
    const metrics = new Metrics();
    await metrics.store(rowOf("a"));
    const samples = parseExposition(await metrics.text()).get("holdfast_runs")?.samples ?? [];
    expect(samples.map(({ labels }) => labels)).toEqual(RUN_STATUSES.map((status) => ({ workflow: "order", status })));
  });

  test("OBS3 are valid without any run, and with an id of a workflow that would break the format", async () => {
    const metrics = new Metrics();
    expect(await metrics.read("holdfast_runs")).toEqual({});
    const later = new Metrics();
    await later.store(rowOf("a", { workflowId: HOSTILE }), rowOf("b", { workflowId: "\u00e9\r\t\u2028" }));
    expect(await later.read("holdfast_runs")).toEqual({ [`${HOSTILE},waiting`]: 1, "\u00e9\r\t\u2028,waiting": 1 });
  });

  test("OBS3 name at most 100 workflows: those with the most runs", async () => {
    const metrics = new Metrics();
    for (let n = 0; n < HOST_LIMITS.metricsWorkflows + 30; n++)
      await metrics.store(rowOf(`a${n}`, { workflowId: `w${n}` }), rowOf(`b${n}`, { workflowId: `w${n % 10}` }));
    const runs = await metrics.read("holdfast_runs");
    expect(Object.keys(runs)).toHaveLength(HOST_LIMITS.metricsWorkflows + 1);
    expect([runs["w0,waiting"], runs["w9,waiting"], runs["other,waiting"]]).toEqual([14, 14, 30]);
  });

  test("OBS3 a million workflows take no more memory than a few hundred", () => {
    const many = function* (): Iterable<RunCount> {
      for (let n = 0; n < 100_000; n++) yield [`w${n}`, { failed: 1 }];
    };
    const few = fewWorkflows(many(), 10);
    expect([few.length, few.find(([workflowId]) => workflowId === "other")?.[1]]).toEqual([11, { failed: 99_990 }]);
  });

  test("OBS3 show how long the slowest update of the last minute took, also if it was sent again", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
    const metrics = new Metrics();
    await metrics.store(rowOf("a", { pendingSince: Date.now() - 12_500 }), rowOf("b", { pendingSince: Date.now() }));
    expect(await metrics.read("holdfast_index_lag_seconds")).toEqual({ "": 12.5 });
    vi.setSystemTime(Date.now() + 121_000);
    expect(await metrics.read("holdfast_index_lag_seconds")).toEqual({});
  });

  test("OBS3 forget the slowest update also after the clock was set back", () => {
    const lag = new LagWindow();
    lag.add(9_000, 100_000_000);
    expect(lag.longest(1_000_000)).toBe(9_000);
    expect(lag.longest(1_121_000)).toBe(0);
  });

  test("OBS3 outlive an instance of the shard's object, whose storage is opened again after seconds without a request", () => {
    const sql = new FakeSql();
    const reopened = (id: string): IndexShard => new IndexShard({ exec: (...query) => sql.exec(...query) }, 10, id);
    reopened("shard-a").upsert(rowOf("a", { pendingSince: 1_000 }), 9_000);
    expect(reopened("shard-a").counts(12_000)).toMatchObject({ lagMs: 8_000, runs: [["order", { waiting: 1 }]] });
    reopened("shard-a").upsert(rowOf("b"), 12_000);
    expect(reopened("shard-a").counts(13_000).runs).toEqual([["order", { waiting: 1 }]]);
    expect(reopened("shard-b").counts(13_000)).toMatchObject({ lagMs: 0, runs: [["order", { waiting: 2 }]] });
  });

  test("OBS3 are counted once in 15 s, however many requests there are, and write nothing", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_700_000_000_000 });
    const metrics = new Metrics();
    await metrics.store(rowOf("a"));
    const shard = [...metrics.binding.shards].find(([name]) => !name.startsWith("shards"))?.[1];
    if (shard === undefined) throw new Error("assertion: no shard");
    const exec = vi.spyOn(shard, "exec");
    await Promise.all(Array.from({ length: 50 }, () => metrics.text()));
    const counts = (): number => exec.mock.calls.filter(([query]) => query.includes("GROUP BY")).length;
    expect(counts()).toBe(1);
    expect(exec.mock.calls.filter(([query]) => !query.startsWith("SELECT"))).toEqual([]);
    await metrics.store(rowOf("b"));
    expect(await metrics.read("holdfast_runs")).toEqual({ "order,waiting": 1 });
    vi.setSystemTime(Date.now() + HOST_LIMITS.metricsCacheMs);
    expect(await metrics.read("holdfast_runs")).toEqual({ "order,waiting": 2 });
    expect(counts()).toBe(2);
  });
});

describe("the callers", () => {
  const tokens = [
    { token: tokenOf("acme"), tenantId: "acme" },
    { token: tokenOf("globex"), tenantId: "globex", scopes: ["read"] as const },
    { token: tokenOf("reader"), scopes: ["read"] as const },
    { token: tokenOf("operator"), scopes: ["admin"] as const },
    { token: tokenOf("sender"), scopes: ["deliver", "trigger", "operate"] as const },
  ];

  async function deployed(): Promise<Metrics> {
    const metrics = new Metrics({ verifyRequest: bearerAuth(tokens), singleProcess: true });
    await metrics.store(
      rowOf("a", { tenantId: "acme", workflowId: "secret-of-acme" }),
      rowOf("b", { tenantId: "globex" }),
      rowOf("c"),
      rowOf("d"),
    );
    return metrics;
  }

  test("SEC2 a tenant sees its own runs, a reader without a tenant those without one, and only an operator all", async () => {
    const metrics = await deployed();
    expect(await metrics.read("holdfast_runs", "globex")).toEqual({ "order,waiting": 1 });
    expect(await metrics.read("holdfast_runs", "reader")).toEqual({ "order,waiting": 2 });
    expect(await metrics.read("holdfast_runs", "operator")).toEqual({
      "order,waiting": 3,
      "secret-of-acme,waiting": 1,
    });
    // A token of a tenant has all scopes by default, and admin among them.
    expect(await metrics.read("holdfast_runs", "acme")).toEqual({ "secret-of-acme,waiting": 1 });
    expect(await metrics.text("globex")).not.toContain("acme");
  });

  test("IDX6 the API counts the runs of the caller's tenant, and no others", async () => {
    const { api } = await deployed();
    const countsFor = async (caller: string): Promise<unknown> => {
      const headers = { Authorization: `Bearer ${tokenOf(caller)}` };
      return (await answerOf(await api.fetch("/api/counts", { headers }))).body;
    };
    const one = (workflowId: string, waiting: number): object => ({ workflows: [{ workflowId, runs: { waiting } }] });
    expect(await countsFor("globex")).toEqual({ ...one("order", 1), unread: 0 });
    expect(await countsFor("acme")).toEqual({ ...one("secret-of-acme", 1), unread: 0 });
    expect(await countsFor("reader")).toEqual({ ...one("order", 2), unread: 0 });
    expect(await countsFor("operator")).toMatchObject({ error: "forbidden" });
  });

  test("SEC1 callers without a token get 401, and callers without the scope 403", async () => {
    const metrics = await deployed();
    expect(await answerOf(await metrics.api.fetch("/metrics"))).toMatchObject({ status: 401 });
    const headers = { Authorization: `Bearer ${tokenOf("sender")}` };
    expect(await answerOf(await metrics.api.fetch("/metrics", { headers }))).toMatchObject({
      status: 403,
      body: { error: "forbidden" },
    });
    const closed = await answerOf(await new Metrics({ verifyRequest: undefined }).api.fetch("/metrics"));
    expect(closed).toMatchObject({ status: 503, body: { error: "auth_not_configured" } });
  });

  test("API5 HEAD answers without a body", async () => {
    const metrics = await deployed();
    const headers = { Authorization: `Bearer ${tokenOf("operator")}` };
    const answer = await metrics.api.fetch("/metrics", { method: "HEAD", headers });
    expect([answer.status, await answer.text(), answer.headers.get("Cache-Control")]).toEqual([200, "", "no-store"]);
  });

  test("API8 a deployment without an index answers 501, and so does one whose index counts nothing", async () => {
    const without: RunIndex = {
      upsert: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      query: () => Promise.resolve({ runs: [], next: undefined }),
    };
    for (const runIndex of [undefined, without]) {
      const answer = await answerOf(await new Metrics({ runIndex }).api.fetch("/metrics"));
      expect(answer).toMatchObject({ status: 501, body: { error: "index_not_configured" } });
    }
  });

  test("OBS3 a tenant whose shards an earlier build listed is in the list of tenants after its next update", async () => {
    const metrics = await deployed();
    const named = (start: string) => [...metrics.binding.shards].find(([name]) => name.startsWith(start))?.[1];
    const [root] = [...metrics.binding.shards].filter(([name]) => name === "shards\u0001").map(([, sql]) => sql);
    root?.exec("DELETE FROM tenants");
    for (const [name, sql] of metrics.binding.shards)
      if (!name.startsWith("shards")) sql.exec("UPDATE facts SET value = 1 WHERE name = 'listed'");
    expect(named("shards")).toBeDefined();
    expect(await metrics.read("holdfast_runs", "operator")).toEqual({ "order,waiting": 2 });
    await metrics.store(rowOf("b", { tenantId: "globex", version: 2, status: "failed" }));
    expect(await metrics.read("holdfast_runs", "operator")).toEqual({ "order,waiting": 2, "order,failed": 1 });
  });
});

describe("shards that do not answer", () => {
  test("OBS3 are counted, and the numbers of the others are shown", async () => {
    const metrics = new Metrics();
    const old = { createdAt: Date.now() - 200 * 86_400_000 };
    await metrics.store(rowOf("a"), rowOf("b", old));
    let asked = 0;
    // The list answers, the first shard does not.
    metrics.binding.breaks = async () => (++asked === 2 ? new Response("down", { status: 500 }) : undefined);
    const tenant = { tenantId: undefined };
    expect(await metrics.index.counts?.(tenant)).toMatchObject({ unread: 1, runs: [["order", { waiting: 1 }]] });
  });

  test("OBS3 keep the others waiting for 5 s at most", async () => {
    const metrics = new Metrics();
    await metrics.store(rowOf("a"), rowOf("b", { createdAt: Date.now() - 200 * 86_400_000 }));
    let asked = 0;
    metrics.binding.breaks = () => (++asked === 2 ? new Promise(() => {}) : Promise.resolve(undefined));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const counts = metrics.index.counts?.({});
    await vi.waitUntil(() => asked === 3, { interval: 1 });
    await vi.advanceTimersByTimeAsync(HOST_LIMITS.metricsWaitMs);
    expect(await counts).toMatchObject({ unread: 1, runs: [["order", { waiting: 1 }]] });
  });

  test("OBS3 the answer is 500 if none answers: numbers without any run would be wrong", async () => {
    expectOutput("the index does not answer", /the index of runs answered 500/);
    const metrics = new Metrics();
    await metrics.store(rowOf("a"));
    metrics.binding.breaks = async () => new Response("down", { status: 500 });
    expect((await metrics.api.fetch("/metrics")).status).toBe(500);
  });
});

describe("the counters", () => {
  const retried = workflow({
    id: "retried",
    run: async (_input, ctx) => {
      await ctx.step("twice", { retry: { max: 2, backoff: "fixed", initial: 1 } }, ({ attempt }) => {
        if (attempt === 1) throw new Error("once");
      });
      await ctx.step("never", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))).catch(() => {});
    },
  });

  function deployed(tenantId: string, more: Partial<WorkerDeps> = {}): FakeDeployment {
    const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
    const verifyRequest = ({ headers }: Request) => {
      const scopes = headers.get("Scopes");
      return scopes === "none" ? false : { subject: "s", tenantId, scopes: ["read", "trigger"] as const };
    };
    return new FakeDeployment([retried], { runIndex, verifyRequest, singleProcess: true, ...more });
  }

  async function countersOf(api: FakeDeployment): Promise<Record<string, number>> {
    const families = parseExposition(await (await api.fetch("/metrics")).text());
    const counters = [...families].filter(([, { type }]) => type === "counter");
    return Object.fromEntries(
      counters.flatMap(([name, { samples }]) =>
        samples.map(({ labels, value }) => [[name, ...Object.values(labels)].join(" "), value]),
      ),
    );
  }

  test("OBS3 count what a tenant's runs, requests and readers did, in one process", async () => {
    const api = deployed("counted");
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "retried" }, headers: { Prefer: "wait=5" } });
    await vi.waitFor(async () => expect(await countersOf(api)).toMatchObject({ holdfast_step_retries_total: 1 }));
    const reader = (await api.fetch("/api/runs/r/stream")).body?.getReader();
    await reader?.cancel();
    await api.fetch("/api/runs/r/stream", { method: "HEAD" });
    expect((await api.fetch("/api/runs/absent")).status).toBe(404);
    expect((await api.fetch("/api/runs/r/cancel", { json: {} })).status).toBe(403);
    expect((await api.fetch("/api/runs/r", { headers: { Scopes: "none" } })).status).toBe(401);
    expect(await countersOf(api)).toEqual({
      "holdfast_steps_total completed": 1,
      "holdfast_steps_total failed": 1,
      holdfast_step_retries_total: 1,
      holdfast_late_ticks_total: 0,
      holdfast_late_timers_total: 0,
      holdfast_outbox_resends_total: 0,
      "holdfast_rejected_requests_total 403": 1,
      "holdfast_rejected_requests_total 404": 1,
      holdfast_feed_readers_total: 1,
    });
    expect(await countersOf(deployed("another"))).toMatchObject({ holdfast_step_retries_total: 0 });
  });

  test("OBS3 are not shown where an isolate is not the deployment", async () => {
    expect(await countersOf(deployed("counted", { singleProcess: undefined }))).toEqual({});
  });
});
