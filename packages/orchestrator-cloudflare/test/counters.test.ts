/** tests: what the counters of a process count, and their export to a collector (OBS3) */
import { HOST_LIMITS } from "@holdfast/protocol";
import { expectOutput } from "@holdfast/proof/output";
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CounterGrowth, handleWorkerRequest, otlpCounters } from "../src/index.ts";
import { count, countedSamples, exportCounters } from "../src/telemetry/counters.ts";
import { COUNTERS, type CounterName, GAUGES } from "../src/telemetry/metrics.ts";
import { FakeDeployment } from "./fake-platform.ts";

const START = 1_700_000_000_000;

const sleeps = workflow({ id: "sleeps", run: (_input, ctx) => ctx.sleep("1h") });
const child = workflow({ id: "child", run: () => 1 });
const parent = workflow({ id: "parent", run: (_input, ctx) => ctx.invoke(child, {}) });

function totalOf(name: CounterName): number {
  return countedSamples("all")[name]?.reduce((total, [, value]) => total + value, 0) ?? NaN;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a process counts", () => {
  async function wake(afterMs: number, hold?: boolean): Promise<number> {
    vi.useFakeTimers({ toFake: ["Date"], now: START });
    const api = new FakeDeployment([sleeps], {}, undefined, { hold });
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "sleeps" } });
    const start = (): boolean => (api.storageOf("r").alarmAt ?? 0) > START + 3_000_000 || hold === true;
    await vi.waitUntil(start, { interval: 1 });
    const [before, due] = [totalOf("holdfast_late_timers_total"), api.storageOf("r").alarmAt ?? 0];
    vi.setSystemTime(due + afterMs);
    await api.alarm("r");
    return totalOf("holdfast_late_timers_total") - before;
  }

  test("OBS3 a timer as late that fires more than a second after its time, and none of a held deployment", async () => {
    expect(await wake(HOST_LIMITS.lateTimerMs)).toBe(0);
    expect(await wake(HOST_LIMITS.lateTimerMs + 1)).toBe(1);
    expect(await wake(60_000, true)).toBe(0);
  });

  test("OBS3 each time that a run sends its messages again", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: START });
    const down = {
      idFromName: (name: string) => name,
      get: () => ({ fetch: () => Promise.reject(new Error("down")) }),
    };
    const api = new FakeDeployment([parent, child], {}, undefined, { runDO: down });
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "parent" } });
    await vi.waitUntil(() => JSON.stringify([...api.storageOf("r").rows.keys()]).includes("outbox"), { interval: 1 });
    const before = totalOf("holdfast_outbox_resends_total");
    for (let times = 1; times <= 3; times++) {
      vi.setSystemTime(Date.now() + HOST_LIMITS.resendMsMax);
      await api.alarm("r");
      expect(totalOf("holdfast_outbox_resends_total") - before).toBe(times);
    }
  });

  test("OBS3 the events of a thousand tenants by tenant, and those of further tenants in all numbers only", () => {
    const before = totalOf("holdfast_feed_readers_total");
    for (let n = 0; n < HOST_LIMITS.countedTenants + 10; n++) count("holdfast_feed_readers_total", `many-${n}`);
    const of = (tenantId: string): unknown => countedSamples({ tenantId })["holdfast_feed_readers_total"];
    expect(of("many-0")).toEqual([[[], 1]]);
    expect(of(`many-${HOST_LIMITS.countedTenants + 9}`)).toEqual([[[], 0]]);
    expect(totalOf("holdfast_feed_readers_total") - before).toBe(HOST_LIMITS.countedTenants + 10);
  });
});

describe("the names", () => {
  test("OBS3 of counters end with _total, and those of gauges with a unit or with what they count", () => {
    for (const name of Object.keys(COUNTERS)) expect(name).toMatch(/^holdfast_[a-z_]+_total$/);
    for (const name of Object.keys(GAUGES)) expect(name).toMatch(/^holdfast_(?:[a-z_]+_(?:seconds|info|unread)|runs)$/);
  });
});

describe("the export to a collector", () => {
  let now = Date.now() + 3_600_000;

  /** The numbers that `send` gets, by name. */
  async function exported(send: (growth: readonly CounterGrowth[]) => Promise<void>): Promise<Record<string, number>> {
    let sent: readonly CounterGrowth[] = [];
    now += HOST_LIMITS.countsExportMs;
    await exportCounters((growth) => {
      sent = growth;
      return send(growth);
    }, now);
    return Object.fromEntries(
      sent.map(({ name, labels, value }) => [[name, ...Object.values(labels)].join(" "), value]),
    );
  }

  const accept = (): Promise<void> => Promise.resolve();

  test("OBS3 sends what was counted since the last one that succeeded, at most every 15 s", async () => {
    expectOutput("a failed export", /counters were not exported; the next export contains them/);
    await exported(accept);
    expect(await exported(accept)).toEqual({});
    count("holdfast_steps_total", undefined, "failed");
    let accepts: () => void = () => {};
    const slow = exportCounters(() => new Promise((resolve) => (accepts = resolve)), now + 1);
    count("holdfast_steps_total", "acme", "failed");
    expect(exportCounters(accept, now + 2)).toBeUndefined();
    accepts();
    await slow;
    now += 10;
    expect(await exported(() => Promise.reject(new Error("down")))).toEqual({ "holdfast_steps_total failed": 1 });
    count("holdfast_feed_readers_total", undefined);
    const both = { "holdfast_steps_total failed": 1, holdfast_feed_readers_total: 1 };
    expect(await exported(accept)).toEqual(both);
    expect(await exported(accept)).toEqual({});
  });

  test("OBS3 is a request of OTLP with the names of /metrics, which the Worker sends after its answer", async () => {
    const requests: Request[] = [];
    const counted = otlpCounters({
      url: "https://collector.example/",
      headers: { Authorization: "Bearer c" },
      serviceName: "shop",
      fetch: (request) => {
        requests.push(request);
        return Promise.resolve(Response.json({}));
      },
    });
    vi.useFakeTimers({ toFake: ["Date"], now: now + 3_600_000 });
    const work: Promise<unknown>[] = [];
    const runDO = { idFromName: String, get: () => ({ fetch: () => Promise.reject(new Error("no")) }) };
    const deps = { runDO, verifyRequest: () => false, telemetry: { counted } };
    const request = new Request("https://flows.example/api/runs");
    await handleWorkerRequest(request, deps, { waitUntil: (one) => work.push(one) });
    await Promise.all(work);
    expect([requests.length, work.length]).toEqual([1, 1]);
    expect([requests[0]?.url, requests[0]?.headers.get("Authorization")]).toEqual([
      "https://collector.example/v1/metrics",
      "Bearer c",
    ]);
    const body = (await requests[0]?.json()) as { resourceMetrics: readonly object[] } | undefined;
    expect(body?.resourceMetrics[0]).toMatchObject({
      resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
      scopeMetrics: [
        {
          metrics: [
            {
              name: "holdfast_rejected_requests_total",
              sum: {
                aggregationTemporality: 1,
                isMonotonic: true,
                dataPoints: [
                  {
                    attributes: [{ key: "status", value: { stringValue: "401" } }],
                    startTimeUnixNano: expect.stringMatching(/^\d{19}$/),
                    timeUnixNano: `${Date.now()}000000`,
                    asInt: "1",
                  },
                ],
              },
            },
          ],
        },
      ],
    });
  });

  test("OBS3 is a failure if the collector rejects it", async () => {
    const options = {
      url: "https://collector.example",
      fetch: () => Promise.resolve(new Response("", { status: 400 })),
    };
    await expect(async () => await otlpCounters(options)([])).rejects.toThrow("the collector answered 400");
  });
});
