import { PROTOCOL_VERSION } from "@holdfast/protocol";
import { AUDIENCE_HEADER, SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { type Workflow, workflow } from "@holdfast/workflows";
import { type StepHandler, type StepHandlerOptions, createStepHandler } from "@holdfast/workflows/handler";
import { describe, expect, test, vi } from "vitest";
import { createServiceBindingDispatcher } from "../src/index.ts";
import type { FakeDeployment } from "./fake-platform.ts";
import { KEY, Network, URL_OF_HANDLER, deployed, read, steps, trigger, until } from "./handler-network.ts";

const patient = workflow({
  id: "patient",
  run: async (_input, ctx) => [
    await ctx.step("before", () => 1),
    await ctx.waitForSignal("go"),
    await ctx.step("after", () => 2),
  ],
});

let hanging: AbortSignal | undefined;
const hangs = workflow({
  id: "hangs",
  run: (_input, ctx) =>
    ctx.step("hang", ({ signal }) => {
      hanging = signal;
      return new Promise(() => {});
    }),
});

const workflows: Workflow[] = [steps, patient, hangs];

function newNetwork(options: Partial<StepHandlerOptions> = {}, handlers = 1): Network {
  return new Network({ workflows, ...options }, handlers);
}

/** Waits until a dispatch has failed. */
function untilDispatchFailed(api: FakeDeployment): Promise<void> {
  return vi.waitFor(
    () => {
      if (!JSON.stringify(api.storageOf("r").rows.get("record")).includes('"failures":1'))
        throw new Error("no dispatch has failed yet");
    },
    { timeout: 10_000, interval: 5 },
  );
}

const STEP = { op: "step/0/add", nth: 1, attempt: 1, startedAt: 0 };

/** Answers a request with this content. */
const nonsense =
  (content: object) =>
  async (body: string): Promise<Response> =>
    Response.json({ session: (JSON.parse(body) as { session: string }).session, ...content });

function reportOf(event: object): object {
  return { type: "report", number: 1, inProgress: [], report: { epoch: 1, asked: 1, events: [event] } };
}

describe("turns", () => {
  test("DUR2 REP6 a sequence costs one request per step, and all requests have the same size", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "steps", { n: 50 });
    expect(await until(api, "completed")).toMatchObject({ output: 1225 });
    // One request to start, and one per answer.
    expect(network.requests.length).toBeLessThanOrEqual(53);
    const sizes = network.requests.slice(2, -2).map((body) => body.length);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(40);
  });

  test("REP6 a parked run has no request in flight, and a delivery wakes its execution", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "patient");
    await until(api, "waiting");
    const before = network.requests.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(network.requests.length).toBe(before);
    await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "now" } });
    expect(await until(api, "completed")).toMatchObject({ output: [1, "now", 2], invocationCount: 1 });
  });

  test("REP6 after the handler dropped an execution, another one replays the journal", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "patient");
    await until(api, "waiting");
    network.handlers = [network.newHandler()];
    await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "now" } });
    expect(await until(api, "completed")).toMatchObject({ output: [1, "now", 2], invocationCount: 2 });
  });

  test("DUR2 a run completes although a round-robin proxy sends half its requests to a handler without the session", async () => {
    const network = newNetwork({}, 2);
    const api = network.deploy();
    await trigger(api, "steps", { n: 20 });
    expect(await until(api, "completed")).toMatchObject({ output: 190 });
  });

  test("DUR2 a handler that stores nothing between requests also completes runs", async () => {
    const network = newNetwork({ stateless: true });
    const api = network.deploy();
    await trigger(api, "steps", { n: 10 });
    expect(await until(api, "completed")).toMatchObject({ output: 45 });
  });

  test("LIM1 a handler with a limit of one session drops the oldest idle one, and that run continues by a replay", async () => {
    const network = newNetwork({ sessionsMax: 1 });
    const api = network.deploy();
    await trigger(api, "patient");
    await until(api, "waiting");
    await api.fetch("/api/runs", { json: { runId: "other", workflowId: "patient", input: null } });
    await expect.poll(async () => (await api.fetch("/api/runs/other")).json()).toMatchObject({ status: "waiting" });
    await api.fetch("/api/runs/r/signals", { json: { name: "go" } });
    expect(await until(api, "completed")).toMatchObject({ invocationCount: 2 });
  });

  test("U1 an update that overtakes a turn does not make the next turn count as a repetition", async () => {
    const handler = createStepHandler({ workflows, signingKeys: "unsigned" });
    const session = "0123456789abcdef";
    const post = async (more: object): Promise<{ type: string; number?: number }> => {
      const body = JSON.stringify({ protocol: PROTOCOL_VERSION, session, waitMs: 500, ...more });
      return (await handler(new Request("https://h/turn", { method: "POST", body }))).json() as Promise<{
        type: string;
      }>;
    };
    const start = {
      protocol: PROTOCOL_VERSION,
      epoch: 1,
      run: { id: "r", number: 1, tags: [], triggeredBy: "api", startedAt: 0, environment: "test" },
      workflowId: "steps",
      input: '[{"n":1},2]',
      seed: "0".repeat(32),
      journal: [],
      inherited: [],
      paused: false,
      now: 0,
      clockStart: 0,
    };
    expect(await post({ turn: 1, start })).toMatchObject({ type: "report", number: 1 });
    await post({ turn: 2, aside: true, updates: [{ entries: [], now: 1 }] });
    const entry = {
      v: 1,
      seq: 1,
      at: 1,
      asked: 1,
      nth: 1,
      quiet: true,
      type: "step.completed",
      op: "step/0/add",
      attempt: 1,
      startedAt: 0,
      value: "[0]",
    };
    const answer = { report: 1, answer: { accepted: true, entries: [entry], now: 1 } };
    expect(await post({ turn: 2, answer })).toMatchObject({ type: "report", number: 2 });
  });

  test("U3 CAN4 updates that overtake each other are applied in order: an earlier pause does not override an unpause", async () => {
    const network = newNetwork();
    const held: (() => void)[] = [];
    network.breaks = async (_n, request, pass) => {
      // Delay the pause until the unpause has overtaken it.
      if ((await request.clone().text()).includes('"paused":true}'))
        await new Promise<void>((resolve) => held.push(resolve));
      return pass();
    };
    const api = network.deploy();
    await trigger(api, "patient");
    await until(api, "waiting");
    await api.fetch("/api/runs/r/pause", { json: {} });
    await vi.waitFor(() => expect(held).toHaveLength(1));
    await api.fetch("/api/runs/r/signals", { json: { name: "go", payload: "kept" } });
    await api.fetch("/api/runs/r/unpause", { json: {} });
    await vi.waitFor(() => expect(network.requests.at(-1)).toContain('"paused":false'));
    held[0]?.();
    expect(await until(api, "completed")).toMatchObject({ output: [1, "kept", 2], invocationCount: 1 });
  });

  test("CAN1 a cancel aborts a body in the step handler within a second", async () => {
    const api = newNetwork().deploy();
    hanging = undefined;
    await trigger(api, "hangs");
    await expect.poll(() => hanging !== undefined).toBe(true);
    await expect.poll(async () => (await read(api))["steps"]).toMatchObject([{ name: "hang", status: "running" }]);
    await api.fetch("/api/runs/r/cancel", { json: {} });
    await expect.poll(() => (hanging as AbortSignal).aborted, { timeout: 1_000 }).toBe(true);
    expect(await read(api)).toMatchObject({ status: "cancelled" });
  });

  test("LIM2 malformed turns are answered 4xx with a reason, and start no session", async () => {
    const open = createStepHandler({ workflows, signingKeys: "unsigned", bodyBytesMax: 1_000 });
    const ask = async (body: string, path = "/turn", method = "POST"): Promise<[number, unknown]> => {
      const response = await open(new Request(`https://h${path}`, { method, ...(method === "GET" ? {} : { body }) }));
      return [response.status, await response.json()];
    };
    const turn = { protocol: 1, session: "0123456789abcdef", turn: 1 };
    for (const bad of [
      "",
      "[]",
      "nope",
      JSON.stringify({ ...turn, session: "short" }),
      JSON.stringify({ ...turn, turn: 0 }),
    ])
      expect((await ask(bad))[0]).toBe(400);
    for (const extra of [{ start: {} }, { answer: 1 }, { updates: {} }, { abort: "x" }, { protocol: "1" }])
      expect((await ask(JSON.stringify({ ...turn, ...extra })))[0]).toBe(400);
    expect((await ask("x".repeat(1_001)))[0]).toBe(413);
    expect((await ask("", "/elsewhere", "GET"))[0]).toBe(404);
    expect(await ask("", "/any/workflows", "GET")).toEqual([
      200,
      {
        protocol: PROTOCOL_VERSION,
        instance: expect.any(String),
        workflows: [{ id: "steps" }, { id: "patient" }, { id: "hangs" }],
      },
    ]);
    const unknown = { session: turn.session, instance: expect.any(String), type: "unknown_session" };
    expect(await ask(JSON.stringify(turn))).toEqual([200, { ...unknown, upMs: expect.any(Number) }]);
  });
});

describe("pipe failures", () => {
  test("DUR3 a lost answer is sent again, and no report is committed twice", async () => {
    const network = newNetwork();
    network.breaks = async (number, _request, pass) => {
      const response = await pass();
      if (number % 3 === 0) throw new TypeError("the connection broke");
      return response;
    };
    const api = network.deploy();
    await trigger(api, "steps", { n: 10 });
    const { steps: rows, output, invocationCount } = await until(api, "completed");
    expect([output, invocationCount, (rows as unknown[]).length]).toEqual([45, 1, 10]);
  });

  test.concurrent.each([
    ["a refused connection", () => Promise.reject(new TypeError("connect ECONNREFUSED"))],
    ["a name that is not found", () => Promise.reject(new TypeError("getaddrinfo ENOTFOUND steps.example"))],
    ["a 503", async () => new Response("later", { status: 503 })],
    ["half an answer", async () => new Response('{"session":"')],
    ["a page of a proxy", async () => new Response("<html>")],
    ["an answer for another run", async () => Response.json({ session: "another-session-1", type: "idle" })],
    ["an answer that is not an object", async () => Response.json(null)],
    ["an invalid answer to a turn", async () => Response.json({ type: "dance" })],
  ])(
    "DUR8 %s does not fail the workflow: the dispatch is repeated with backoff, and the run completes",
    async (_what, answer) => {
      const network = newNetwork();
      let broken = true;
      network.breaks = (_n, request, pass) => (broken ? request.text().then(answer) : pass());
      const api = network.deploy();
      await trigger(api, "steps", { n: 2 });
      await untilDispatchFailed(api);
      expect(await read(api)).toMatchObject({
        status: "running",
        dispatch: { failures: 1, message: expect.stringContaining("step handler"), retryAt: expect.any(Number) },
      });
      broken = false;
      expect(await until(api, "completed")).toMatchObject({ output: 1 });
    },
  );

  test.concurrent.each([
    [
      "a report without a report",
      nonsense({ type: "report", number: 1, inProgress: [] }),
      "answer.report must be an object",
    ],
    [
      "a report of a step without its result",
      nonsense(reportOf({ type: "step.completed", ...STEP })),
      "report.events[0].value must be an encoded value",
    ],
    [
      "a result that cannot be decoded",
      nonsense(reportOf({ type: "step.completed", ...STEP, value: "{" })),
      "report.events[0].value must be an encoded value",
    ],
    [
      "an outcome of nothing",
      nonsense(reportOf({ type: "step.completed", ...STEP, op: "step", value: "-1" })),
      "report.events[0].op must be the id of an operation",
    ],
    [
      "a list of steps that is none",
      nonsense({ type: "busy", inProgress: "many" }),
      "answer.inProgress must be a list",
    ],
    [
      "a step in progress without a name",
      nonsense({ type: "busy", inProgress: [{ attempt: 1 }] }),
      "answer.inProgress[0].op must be",
    ],
    ["a loss without an error", nonsense({ type: "lost", error: "gone" }), "answer.error must be an object"],
    ["another instance without a name", nonsense({ type: "wrong_instance" }), "answer.mine must be text"],
  ])("SEC10 %s pauses the run and names the field, and a retry continues it", async (_what, answer, problem) => {
    const network = newNetwork();
    let broken = true;
    network.breaks = (_n, request, pass) => (broken ? request.text().then(answer) : pass());
    const api = network.deploy();
    await trigger(api, "steps", { n: 2 });
    expect(await until(api, "paused")).toMatchObject({
      error: { code: "PROTOCOL_MISMATCH", message: expect.stringContaining(problem) },
    });
    broken = false;
    await api.fetch("/api/runs/r/retry", { method: "POST" });
    expect(await until(api, "completed")).toMatchObject({ output: 1 });
  });

  test("DUR8 a 4xx pauses the run with the handler's message, and a retry continues it", async () => {
    const network = newNetwork();
    const api = network.deploy({ signingKey: "another-key-altogether" });
    await trigger(api, "steps", { n: 2 });
    const { error } = (await until(api, "paused")) as { error: { code: string; message: string } };
    expect(error.code).toBe("DISPATCH_REFUSED");
    expect(error.message).toContain(
      "answered 401: This step handler serves signed requests only: the signature does not match",
    );
  });

  test("VER2 a handler with another protocol version pauses the run, and the message names both versions", async () => {
    const network = newNetwork();
    network.breaks = async (_n, request) => {
      const body = (await request.text()).replaceAll(`"protocol":${PROTOCOL_VERSION}`, '"protocol":99');
      const headers = {
        [AUDIENCE_HEADER]: URL_OF_HANDLER,
        [SIGNATURE_HEADER]: await signRequest(
          { method: "POST", path: "/holdfast/turn", body, audience: URL_OF_HANDLER },
          KEY,
          Date.now(),
          crypto.randomUUID(),
        ),
      };
      return (network.handlers[0] as StepHandler)(new Request(request.url, { method: "POST", body, headers }));
    };
    const api = network.deploy();
    await trigger(api, "steps", { n: 2 });
    expect(await until(api, "paused")).toMatchObject({ error: { code: "PROTOCOL_MISMATCH" } });
  });

  test("DUR8 a workflow that is not served is dispatched again until it is served", async () => {
    const network = newNetwork();
    const api = network.deploy();
    await trigger(api, "unheard of");
    await untilDispatchFailed(api);
    const late = workflow({ id: "unheard of", run: () => "served" });
    network.handlers = [createStepHandler({ workflows: [late], signingKeys: [KEY], audience: URL_OF_HANDLER })];
    expect(await until(api, "completed")).toMatchObject({ output: "served" });
  });
});

describe("a service binding with fetch only", () => {
  test("DUR2 a run is executed over one request, which also carries a cancel", async () => {
    const handler = createStepHandler({ workflows, signingKeys: "unsigned" });
    const binding = { fetch: (request: Request) => handler(request) };
    const dispatcher = createServiceBindingDispatcher({ binding, pipe: "fetch" });
    expect(await dispatcher.workflows()).toMatchObject([{ id: "steps" }, { id: "patient" }, { id: "hangs" }]);
    const api = deployed(dispatcher);
    await trigger(api, "steps", { n: 20 });
    expect(await until(api, "completed")).toMatchObject({ output: 190, invocationCount: 1 });
    const other = deployed(dispatcher);
    hanging = undefined;
    await trigger(other, "hangs");
    await expect.poll(() => hanging !== undefined).toBe(true);
    await other.fetch("/api/runs/r/cancel", { json: {} });
    await expect.poll(() => (hanging as AbortSignal).aborted, { timeout: 1_000 }).toBe(true);
  });

  test("DUR8 a dispatch to a sibling Worker that answers an error is repeated", async () => {
    const api = deployed(
      createServiceBindingDispatcher({
        pipe: "fetch",
        binding: { fetch: async () => new Response("no", { status: 500 }) },
      }),
    );
    await trigger(api, "steps", { n: 1 });
    await untilDispatchFailed(api);
  });
});
