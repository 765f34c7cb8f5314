import { workflow } from "@holdfast/workflows";
import {
  ApiError,
  type ClientOptions,
  ConnectionError,
  type RunEvent,
  RunFailedError,
  type RunHandle,
  type RunRecord,
  type ShownRun,
  type StartedRun,
  createClient,
} from "@holdfast/workflows/client";
import { describe, expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { bearerAuth, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace, tokenOf } from "./fake-platform.ts";

const order = workflow({
  id: "order",
  run: async (input: unknown, ctx) => {
    const reserved = await ctx.step("reserve", () => "hold-1");
    const approval = await ctx.waitForSignal<{ by: string }>("approval");
    return { reserved, by: approval?.by ?? "nobody", input };
  },
});
const fails = workflow({
  id: "fails",
  run: (_input, ctx) =>
    ctx.step("charge", { retry: { max: 1 } }, () => {
      throw Object.assign(new Error("card declined"), { code: "DECLINED" });
    }),
});
const listens = workflow({
  id: "listens",
  run: async (_input, ctx) => {
    const token = ctx.waitForToken();
    ctx.metadata.set("token", token.tokenId);
    return [await ctx.waitForEvent("paid"), await token.wait()];
  },
});

/** A network that a test can break. */
function connect(options: Partial<ClientOptions> = {}) {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const deps = { runIndex, verifyRequest: bearerAuth([{ token: tokenOf("t"), subject: "ada" }]) };
  const api = new FakeDeployment([order, fails, listens], deps, undefined, { runIndex });
  const network = {
    requests: [] as Request[],
    breaks: undefined as
      | ((number: number, pass: () => Promise<Response>, request: Request) => Promise<Response>)
      | undefined,
  };
  const client = createClient({
    url: "https://flows.example/",
    token: tokenOf("t"),
    retryAfterMs: 1,
    fetch: (request) => {
      network.requests.push(request.clone());
      const pass = (): Promise<Response> => api.handle(request);
      return network.breaks === undefined ? pass() : network.breaks(network.requests.length, pass, request);
    },
    ...options,
  });
  return { api, client, network };
}

const lost = async (pass: () => Promise<Response>): Promise<Response> => {
  await pass();
  throw new TypeError("Failed to fetch");
};

describe("a client", () => {
  test("API1 triggers, delivers and returns the result with the types of the workflow", async () => {
    const { client } = connect();
    const run = await client.trigger(order, { tea: 1 }, { runId: "r/1 ü", tags: ["vip"] });
    expectTypeOf(run).toEqualTypeOf<RunHandle<{ reserved: string; by: string; input: unknown }>>();
    expectTypeOf(client.run("x")).toEqualTypeOf<RunHandle>();
    expect(await run.signal("approval", { by: "ada" })).toBe("resolved");
    expect(await run.result()).toEqual({ reserved: "hold-1", by: "ada", input: { tea: 1 } });
    expect(await client.run("r/1 ü", order).get()).toMatchObject({
      status: "completed",
      tags: ["vip"],
      triggeredBy: "ada",
    });
    const types: string[] = [];
    for await (const { type } of run.journal()) types.push(type);
    expect(types).toEqual(["step.completed", "wait.opened", "wait.resolved"]);
    const last: number[] = [];
    for await (const { seq } of run.journal({ order: "desc", before: 3 })) last.push(seq);
    expect(last).toEqual([2, 1]);
    expect((await run.audit()).map(({ action }) => action)).toEqual(["trigger", "deliver"]);
  });

  test("API1 has a method for each other route of the API", async () => {
    const { client } = connect();
    const run = await client.trigger("listens");
    expect(await client.healthy()).toBe(true);
    expect((await client.workflows()).map(({ id }) => id)).toEqual(["order", "fails", "listens"]);
    await vi.waitFor(async () => expect((await run.get()).status).toBe("waiting"));
    expect((await run.pause()).status).toBe("paused");
    expect((await run.unpause()).status).toBe("waiting");
    await expect(run.retry()).rejects.toMatchObject({ code: "not_applicable", status: 409 });
    expect(await run.event("paid", 1)).toBe("resolved");
    expect(await run.event("paid", 2, { deliveryId: "d" })).toBe("buffered");
    expect(await run.event("paid", 2, { deliveryId: "d" })).toBe("duplicate");
    const { metadata } = await run.get();
    expect(await run.resolveToken(String(metadata["token"]), "yes")).toBe("resolved");
    expect(await run.result()).toEqual([1, "yes"]);
    const again = await run.resume({ resumeFromStep: "nothing" }).catch((error: unknown) => error);
    expect(again).toMatchObject({ code: "unknown_step" });
    await vi.waitFor(async () =>
      expect((await client.list({ status: "completed" })).runs.map(({ id }) => id)).toEqual([run.id]),
    );
    const stuck = await client.trigger("order", 1, { runId: "stuck" });
    expect(await stuck.terminate("not needed")).toMatchObject({ status: "cancelled", error: { code: "TERMINATED" } });
    await expect(stuck.result()).rejects.toMatchObject({ code: "TERMINATED" });
    for (let i = 0; i < 3; i++) await client.trigger("order", i, { runId: `o${i}`, tags: ["many"] });
    const ids: string[] = [];
    await vi.waitFor(async () =>
      expect((await client.list({ tag: ["many"], status: "waiting" })).runs).toHaveLength(3),
    );
    for await (const { id } of client.all({ tag: "many", limit: 1, order: "asc" })) ids.push(id);
    expect(ids).toEqual(["o0", "o1", "o2"]);
    expect(await client.bulk({ action: "cancel", filter: { tag: ["many"] } })).toMatchObject({ done: 3 });
    expect(await client.rebuildIndex({ runIds: ["o1", "none"] })).toEqual({ told: 1, unknown: 1 });
    await client.run("o1").delete();
    await expect(client.run("o1").get()).rejects.toMatchObject({ code: "not_found" });
    expect((await client.run("o2").get()).status).toBe("cancelled");
  });

  test("API2 a run that does not complete rejects with an error that contains its status", async () => {
    const { client } = connect();
    const run = await client.trigger(fails);
    const error = await run.result().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RunFailedError);
    expect(error).toMatchObject({ status: "failed", code: "DECLINED", error: { step: "charge" } });
    expect((error as Error).message).toContain('ended failed in step "charge": card declined');
    const resumed = await run.resume();
    expect(resumed.id).not.toBe(run.id);
    await expect(resumed.result()).rejects.toThrow("card declined");
  });
});

describe("network failures", () => {
  test("RUN2 a lost answer causes no second run, delivery, cancel or resume", async () => {
    const { client, network, api } = connect();
    const flaky = (method: string, part: string): void => {
      let first = true;
      network.breaks = (_n, pass, request) => {
        if (!first || request.method !== method || !request.url.endsWith(part)) return pass();
        first = false;
        return lost(pass);
      };
    };
    flaky("POST", "/api/runs");
    const run = await client.trigger(listens);
    const runs = [...api.storages.values()].filter(({ rows }) => rows.has("record"));
    expect(runs).toHaveLength(1);
    flaky("POST", "/events");
    expect(await run.event("paid", 1)).not.toBe("duplicate");
    await vi.waitFor(async () => expect((await run.get()).metadata).toHaveProperty("token"));
    flaky("POST", String((await run.get()).metadata["token"]));
    await run.resolveToken(String((await run.get()).metadata["token"]), "yes");
    expect(await run.result()).toEqual([1, "yes"]);
    const other = await client.trigger(order);
    flaky("POST", "/cancel");
    await other.cancel("enough");
    expect((await other.get()).status).toBe("cancelled");
    flaky("POST", "/resume");
    const resumed = await other.resume({ resumeFromStep: "reserve" });
    expect((await other.get()).resumedBy).toEqual([resumed.id]);
    flaky("DELETE", other.id);
    await other.delete();
  });

  test("API10 an act whose answer is lost, or arrives twice, is done once and resolves like the first one", async () => {
    const { client, network } = connect();
    const loseOne = (): void => {
      const from = network.requests.length + 1;
      network.breaks = (n, pass) => (n === from ? lost(pass) : pass());
    };
    const run = await client.trigger(order);
    await vi.waitFor(async () => expect((await run.get()).status).toBe("waiting"));
    loseOne();
    expect(await run.pause({ reason: "look" })).toMatchObject({ id: run.id, status: "paused" });
    loseOne();
    expect(await run.unpause()).toMatchObject({ status: "waiting" });
    const ended = await client.trigger(order, 2);
    loseOne();
    expect(await ended.terminate("stuck")).toMatchObject({ status: "cancelled", error: { code: "TERMINATED" } });
    loseOne();
    expect(await client.bulk({ action: "cancel", ids: [run.id] })).toMatchObject({ done: 1, refused: [] });
    expect((await run.audit()).map(({ action }) => action)).toEqual(["trigger", "pause", "unpause", "cancel"]);
    expect(JSON.stringify(await run.audit())).not.toContain("requestKey");
  });

  test("API10 an act that had no effect is refused, also if the request before it was lost", async () => {
    const { client, network } = connect();
    const run = await client.trigger(order);
    await run.pause();
    const from = network.requests.length + 1;
    // The first attempt does not arrive.
    network.breaks = (n, pass) => (n === from ? Promise.reject(new TypeError("Failed to fetch")) : pass());
    await expect(run.retry()).rejects.toMatchObject({ code: "not_applicable" });
    await expect(run.pause()).rejects.toMatchObject({ code: "not_applicable" });
  });

  test("API3 a temporary failure is tried again, a rejected request is not", async () => {
    const { client, network } = connect();
    network.breaks = async (number, pass) =>
      number === 1
        ? new Response("<html>bad gateway", { status: 502 })
        : number === 2
          ? Response.json(
              { error: "inbox_full", message: "full" },
              { status: 429, headers: { "Retry-After": "0.001" } },
            )
          : pass();
    await client.workflows();
    expect(network.requests).toHaveLength(3);
    network.breaks = async () => Response.json({ error: "auth_not_configured", message: "closed" }, { status: 503 });
    await expect(client.workflows()).rejects.toMatchObject({ code: "auth_not_configured" });
    await expect(client.run("none").get()).rejects.toBeInstanceOf(ApiError);
    expect(network.requests).toHaveLength(5);
    network.breaks = undefined;
    await expect(client.run("none").cancel()).rejects.toThrow("POST /api/runs/none/cancel answered 404 not_found");
  });

  test("API3 an unreachable API is reported after the last try, with the cause", async () => {
    const { client, network } = connect({ attempts: 3 });
    network.breaks = () => Promise.reject(new TypeError("Failed to fetch"));
    const error = await client.healthy().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ cause: expect.any(TypeError) });
    expect(network.requests).toHaveLength(3);
  });

  test("API3 a value that JSON cannot hold ends the call, and no request is sent", async () => {
    const { client, network } = connect();
    await expect(client.run("none").signal("approve", { cents: 10n })).rejects.toThrow(TypeError);
    expect(network.requests).toHaveLength(0);
  });

  test.each([
    [
      Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
      /: connect ECONNREFUSED 127.0.0.1:1$/,
    ],
    [Object.assign(new Error(""), { code: "ECONNRESET" }), /: ECONNRESET$/],
    [
      new AggregateError([new Error("no route to ::1"), new Error("no route to 127.0.0.1")]),
      /: no route to ::1; no route to 127/,
    ],
  ])("API3 the error of an unreachable API names its address and the innermost cause", async (cause, reason) => {
    const { client, network } = connect({ attempts: 1 });
    network.breaks = () => Promise.reject(new TypeError("fetch failed", { cause }));
    await expect(client.workflows()).rejects.toThrow("GET /api/workflows could not be sent to https://flows.example: ");
    await expect(client.workflows()).rejects.toThrow(reason);
  });

  test("API1 the record of a started run is in its handle, and its end is a record, however it ended", async () => {
    const { client } = connect();
    const run = await client.trigger("fails", 1, { runId: "f" });
    expect(run.record).toMatchObject({ id: "f", workflowId: "fails" });
    expect(client.run("f").record).toBeUndefined();
    expectTypeOf(run.record).toEqualTypeOf<StartedRun | undefined>();
    expectTypeOf<RunRecord<number>>().toExtend<StartedRun<number>>();
    // What a caller without the scope `read` gets, and what a debounce or batch answers.
    expectTypeOf<{ id: string; status: "paused" }>().toExtend<ShownRun>();
    expectTypeOf<
      Pick<StartedRun, "id" | "status"> & { state: "debounced"; startsAt: number; count: number }
    >().toExtend<StartedRun>();
    expectTypeOf<Awaited<ReturnType<RunHandle["pause"]>>>().toEqualTypeOf<ShownRun>();
    expectTypeOf<ShownRun["createdAt"]>().toEqualTypeOf<number | undefined>();
    expect(await run.ended()).toMatchObject({ id: "f", status: "failed", error: { code: "DECLINED" } });
    const again = await run.resume();
    expect(again.record).toMatchObject({ resumedFrom: { runId: "f" } });
    const stuck = await client.trigger("order", 1);
    expect(await stuck.cancel("enough")).toMatchObject({ id: stuck.id });
  });

  test("API1 the answer of the health check is given as it is, also that of a misconfigured deployment", async () => {
    const { client, network } = connect();
    expect(await client.health()).toMatchObject({ ok: true, version: expect.any(String) });
    const misconfigured = { ok: false, version: "0.1.0", misconfigured: true };
    network.breaks = async () =>
      Response.json(misconfigured, { status: 503, headers: { "Holdfast-Version": "0.1.0" } });
    expect(await client.health()).toEqual(misconfigured);
    expect(await client.healthy()).toBe(false);
    network.breaks = async () => Response.json({ ok: false }, { status: 503 });
    await expect(client.health()).rejects.toMatchObject({ status: 503, code: "unknown" });
    await expect(client.healthy()).rejects.toMatchObject({ status: 503, code: "unknown" });
  });

  test("API3 a time-out and the page of a proxy are reported as failures", async () => {
    const { client, network } = connect({ attempts: 2, timeoutMs: 5 });
    network.breaks = (_n, _pass, request) =>
      new Promise((_resolve, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason as Error));
      });
    await expect(client.healthy()).rejects.toThrow("no answer within 5 ms");
    network.breaks = async () => new Response("<html>welcome");
    await expect(client.healthy()).rejects.toThrow("whether a proxy answers instead");
  });

  test("API3 an aborted call ends at once and is not tried again", async () => {
    const { client, network } = connect();
    const run = await client.trigger(order);
    const abort = new AbortController();
    const result = run.result({ signal: abort.signal });
    abort.abort(new Error("the user left"));
    await expect(result).rejects.toThrow("the user left");
    const before = network.requests.length;
    await expect(client.healthy({ signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
    expect(network.requests.length).toBeLessThanOrEqual(before + 1);
  });
});

test("API3 a call that is aborted before its request sends nothing, and leaves no rejection to its process", async () => {
  const left: unknown[] = [];
  const listener = (reason: unknown): void => void left.push(reason);
  process.on("unhandledRejection", listener);
  let sent = 0;
  const signal = AbortSignal.abort(new Error("gone"));
  // Reads its signal as the fetch of the platform does.
  const fetch = async (request: Request): Promise<Response> => {
    sent += 1;
    request.signal.throwIfAborted();
    return Response.json({});
  };
  const api = createClient({ url: "https://flows.example", fetch });
  const calls = [api.healthy({ signal }), api.run("r").get({ signal }), api.run("r").journal({ signal }).next()];
  for (const { status } of await Promise.allSettled(calls)) expect(status).toBe("rejected");
  // Node reports a rejection after the turn in which it is left.
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", listener);
  expect([left, sent]).toEqual([[], 0]);
});

describe("events of a run", () => {
  const collect = async (events: AsyncIterable<RunEvent>): Promise<string[]> => {
    const seen: string[] = [];
    for await (const event of events) {
      if (event.type === "run") seen.push(`run ${event.data.status}`);
      else if (event.type === "step" || event.type === "waitpoint")
        seen.push(`${event.type} ${event.data.name} ${event.data.status}`);
      else seen.push(event.type);
    }
    return seen;
  };

  test("STR2 events are iterated to the run's end, although each connection breaks at an arbitrary position", async () => {
    const { api, client, network } = connect();
    const run = await client.trigger(order);
    await run.signal("approval", { by: "ada" });
    await run.result();
    const whole = await collect(run.stream());
    expect(whole).toEqual([
      "step reserve completed",
      "waitpoint approval open",
      "waitpoint approval ended",
      "run completed",
    ]);
    const text = await (
      await api.fetch(`/api/runs/${run.id}/stream`, { headers: { Authorization: `Bearer ${tokenOf("t")}` } })
    ).text();
    // Each connection breaks after a few more bytes than the one before: between events, in lines and in characters.
    for (let cut = 1; cut < text.length; cut += 7) {
      let connections = 0;
      network.breaks = async (_n, pass, request) => {
        const response = await pass();
        if (!request.url.includes("/stream")) return response;
        connections += 1;
        const bytes = new Uint8Array(await response.arrayBuffer());
        return new Response(bytes.slice(0, connections === 1 ? cut : undefined), { headers: response.headers });
      };
      expect(await collect(run.stream())).toEqual(whole);
      network.breaks = undefined;
    }
  });

  test("STR2 an unknown run and the page of a proxy reject the iteration", async () => {
    const { client, network } = connect();
    await expect(collect(client.run("none").stream())).rejects.toMatchObject({ code: "not_found" });
    network.breaks = async () => new Response("<html>");
    await expect(collect(client.run("none").stream())).rejects.toThrow("not an event stream");
  });
});

test.each([
  ["a proxy answers 504 after 30 s", async () => new Response("<h1>gateway time-out", { status: 504 })],
  ["a proxy ends the connection after 30 s", async () => Promise.reject(new TypeError("terminated"))],
])("API3 the wait for an end continues, although %s", async (_what, cut) => {
  vi.useFakeTimers({ toFake: ["performance"] });
  onTestFinished(() => void vi.useRealTimers());
  const waits: number[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    const wait = Number(request.headers.get("Prefer")?.slice("wait=".length));
    waits.push(wait);
    vi.advanceTimersByTime(Math.min(wait, 30) * 1_000);
    if (wait > 30) return cut();
    return Response.json({ id: "r", status: waits.length < 12 ? "running" : "completed", output: "done" });
  };
  const client = createClient({ url: "https://flows.example", retryAfterMs: 1, fetch });
  expect(await client.run("r").result()).toBe("done");
  expect(waits).toEqual([50, ...Array.from({ length: 11 }, () => 25)]);
});
