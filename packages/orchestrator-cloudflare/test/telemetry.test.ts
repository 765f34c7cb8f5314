import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { RetryableError, workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Telemetry, type TelemetryEvent, createHttpDispatcher, logEvents, otlpExporter } from "../src/index.ts";
import type { Span } from "../src/telemetry/spans.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = "00f067aa0ba902b7";

let handedOn: Record<string, string> = {};

const traced = workflow({
  id: "traced",
  run: async (input: { fail?: boolean }, ctx) => {
    await ctx.step("charge", { retry: { max: 2, backoff: "fixed", initial: 1 } }, ({ attempt, traceparent }) => {
      handedOn["charge"] = traceparent;
      if (attempt === 1) throw new RetryableError("network", { retryAfter: 1 });
    });
    await ctx.waitForSignal("go");
    await ctx.invoke(child, {});
    if (input.fail === true) throw new Error("no more tea");
  },
});
const child = workflow({
  id: "child",
  run: (_input, ctx) =>
    ctx.step("inside", ({ traceparent }) => {
      handedOn["inside"] = traceparent;
    }),
});

/** The checks of a collector: OTLP's JSON encoding. */
class Collector {
  readonly spans: Span[] = [];
  readonly statuses: number[] = [];
  #server: Server | undefined;

  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => (text += part.toString()));
      request.on("end", () => {
        const status = this.statuses.shift() ?? this.#take(request.url, request.headers, text);
        response.writeHead(status, { "Content-Type": "application/json" }).end("{}");
      });
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  #take(url: string | undefined, headers: Record<string, unknown>, text: string): number {
    if (url !== "/v1/traces" || headers["content-type"] !== "application/json") return 404;
    if (headers["authorization"] !== "Bearer collector") return 401;
    const { resourceSpans } = JSON.parse(text) as {
      resourceSpans: [
        { resource: { attributes: [{ value: object }] }; scopeSpans: [{ scope: { name: string }; spans: Span[] }] },
      ];
    };
    expect(resourceSpans[0].resource.attributes[0]).toEqual({ key: "service.name", value: { stringValue: "shop" } });
    for (const span of resourceSpans[0].scopeSpans[0].spans) {
      expect(span.traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(span.spanId).toMatch(/^[0-9a-f]{16}$/);
      expect(span.parentSpanId ?? "0".repeat(16)).toMatch(/^[0-9a-f]{16}$/);
      expect([span.startTimeUnixNano, span.endTimeUnixNano].join()).toMatch(/^\d{19},\d{19}$/);
      expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
      for (const { key, value } of [...span.attributes, ...(span.events ?? []).flatMap((event) => event.attributes)]) {
        expect(key).not.toBe("");
        expect(Object.keys(value)).toHaveLength(1);
        expect(typeof Object.values(value)[0]).toBe("string");
      }
    }
    this.spans.push(...resourceSpans[0].scopeSpans[0].spans);
    return 200;
  }

  find(name: string): Span {
    const span = this.spans.find((one) => one.name === name);
    if (span === undefined) throw new Error(`no span ${name} among ${this.spans.map((one) => one.name).join(", ")}`);
    return span;
  }

  close(): void {
    this.#server?.close();
  }
}

const collector = { current: new Collector() };

afterEach(() => {
  collector.current.close();
  collector.current = new Collector();
  handedOn = {};
  vi.restoreAllMocks();
});

async function play(telemetry: Telemetry, input: unknown = {}): Promise<FakeDeployment> {
  const api = new FakeDeployment([traced, child], {}, undefined, { telemetry });
  await api.fetch("/api/runs", {
    json: { runId: "r", workflowId: "traced", input },
    headers: { traceparent: `00-${TRACE}-${CALLER}-01` },
  });
  await vi.waitFor(async () => {
    if ((api.storageOf("r").alarmAt ?? Infinity) <= Date.now()) await api.alarm("r");
    expect((await answerOf(await api.fetch("/api/runs/r"))).body).toMatchObject({
      status: "waiting",
      pendingWaitpoints: [{ kind: "SIGNAL" }],
    });
  });
  await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
  await vi.waitFor(async () => expect((await answerOf(await api.fetch("/api/runs/r"))).body).toHaveProperty("endedAt"));
  return api;
}

describe("spans", () => {
  test("OBS1 a run, its steps, waits and children are one trace under the caller's span, as steps pass it on", async () => {
    const url = await collector.current.listen();
    const ended = otlpExporter({ url, headers: { Authorization: "Bearer collector" }, serviceName: "shop" });
    await play({ ended });
    await vi.waitFor(() => expect(collector.current.spans).toHaveLength(6));
    const run = collector.current.find("run traced");
    expect(run).toMatchObject({ traceId: TRACE, parentSpanId: CALLER, status: { code: 1 } });
    const charge = collector.current.find("step charge");
    expect(charge).toMatchObject({ traceId: TRACE, parentSpanId: run.spanId, events: [{ name: "exception" }] });
    expect(handedOn["charge"]).toBe(`00-${TRACE}-${charge.spanId}-01`);
    expect(collector.current.find("signal go").parentSpanId).toBe(run.spanId);
    // The parent of the child run's span is the wait for it, and the parent of its step's span is the child run.
    const inside = collector.current.find("step inside");
    expect(collector.current.find("run child").parentSpanId).toBe(
      collector.current.find("run child").traceId === TRACE
        ? collector.current.spans.find(({ attributes }) =>
            attributes.some(({ key }) => key === "holdfast.child.run.id"),
          )?.spanId
        : "",
    );
    expect(inside.parentSpanId).toBe(collector.current.find("run child").spanId);
    expect(handedOn["inside"]).toBe(`00-${TRACE}-${inside.spanId}-01`);
  });

  test("OBS1 the export to a busy collector is repeated, and a collector that rejects it does not delay the run", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const url = await collector.current.listen();
    const options = { url, headers: { Authorization: "Bearer collector" }, serviceName: "shop", retryAfterMs: [1, 1] };
    collector.current.statuses.push(503, 503, 429);
    await play({ ended: otlpExporter(options) }, { fail: true });
    await vi.waitFor(() =>
      expect(collector.current.find("run traced").status).toEqual({ code: 2, message: "no more tea" }),
    );
    await play({ ended: otlpExporter({ ...options, headers: {} }) });
    await vi.waitFor(() =>
      expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("the collector answered 401")),
    );
  });

  test("OBS1 a run with an invalid traceparent gets its own trace", async () => {
    const api = new FakeDeployment([child]);
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "child" }, headers: { traceparent: "00-zz-1-01" } });
    await vi.waitFor(() => expect(handedOn["inside"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/));
    expect((await answerOf(await api.fetch("/api/runs/r"))).body).not.toHaveProperty("traceparent");
  });
});

describe("events", () => {
  test("OBS2 each change of a run and each attempt of a step is reported once, with run, operation and epoch", async () => {
    const events: TelemetryEvent[] = [];
    await play({ event: (event) => events.push(event) }, { fail: true });
    const mine = events.filter(({ runId }) => runId === "r");
    const reported = mine.map(({ type, operation }) => [type, operation].filter(Boolean).join(" "));
    // A run also waits for the next attempt of a step, without an open wait.
    expect(mine.filter(({ type }) => type === "run.waiting").map(({ waits }) => waits)).toContainEqual(["signal/0/go"]);
    // The number of parks between the steps depends on timing.
    expect(reported.filter((what) => !/waiting|running/.test(what))).toEqual([
      "run.created",
      "step.retrying step/0/charge",
      "step.completed step/0/charge",
      "run.ended",
    ]);
    expect(mine.every(({ workflowId, epoch }) => workflowId === "traced" && epoch === 1)).toBe(true);
    expect(mine.at(-1)).toMatchObject({
      level: "warn",
      status: "failed",
      message: "no more tea",
      durationMs: expect.any(Number),
    });
  });

  test("OBS2 the log contains failures as JSON, without payloads", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    await play({ event: logEvents() }, { fail: true, secret: "s3cret" });
    const lines = warn.mock.calls.map(([line]) => JSON.parse(String(line)) as TelemetryEvent);
    expect(lines.map(({ type }) => type)).toEqual(["step.retrying", "run.ended"]);
    expect(JSON.stringify(lines)).not.toContain("s3cret");
    expect(log).not.toHaveBeenCalled();
    logEvents({ all: true })({ ...(lines[0] as TelemetryEvent), level: "info" });
    expect(log).toHaveBeenCalledTimes(1);
  });

  test("OBS2 a dispatch failure is reported, and a hook that throws does not delay the run", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const events: TelemetryEvent[] = [];
    const dispatcher = createHttpDispatcher({
      url: "https://steps.example",
      signingKey: "a-key-that-both-sides-know",
      fetch: () => Promise.reject(new TypeError("refused")),
    });
    const api = new FakeDeployment([], {}, dispatcher, {
      telemetry: {
        event: (event) => {
          events.push(event);
          throw new Error("the hook is broken");
        },
      },
    });
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "far away" } });
    await vi.waitFor(() => expect(events.map(({ type }) => type)).toContain("dispatch.failed"));
    expect(error).toHaveBeenCalledWith(expect.stringContaining("telemetry failed"), expect.anything());
  });
});
