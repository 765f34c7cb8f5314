/** tests: what a deployment answers when a part is missing, of the wrong kind, or unreachable (API8, SEC9) */
import { HoldfastError } from "@holdfast/protocol";
import { expectOutput } from "@holdfast/proof/output";
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type DurableObjectNamespaceLike,
  type RpcBinding,
  createHttpDispatcher,
  createServiceBindingDispatcher,
  durableObjectIndex,
  handleWorkerRequest,
} from "../src/index.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

afterEach(() => void vi.useRealTimers());

const key = "a-signing-key-of-a-test";
const URL_OF_HANDLER = "https://steps.example/holdfast";
const handler = createStepHandler({
  workflows: [workflow({ id: "hello", run: () => 1 }), workflow({ id: "hi", version: "2", run: () => 1 })],
  signingKeys: [key],
  audience: URL_OF_HANDLER,
});

type Answering = (request: Request) => Promise<Response>;

function remote(answer: Answering): FakeDeployment {
  const url = URL_OF_HANDLER;
  return new FakeDeployment([], {}, createHttpDispatcher({ url, signingKey: key, fetch: answer }));
}

/** Like a binding of the platform, it has a stub for every name. */
function bindingTo(error: string, more: object = {}): RpcBinding {
  const call = (): Promise<never> => Promise.reject(new TypeError(error));
  return new Proxy(more, {
    get: (target, name) => Reflect.get(target, name) ?? (name === "then" ? undefined : call),
  }) as RpcBinding;
}

const NO_METHOD = 'The RPC receiver does not implement the method "execute".';
const down: Answering = () => Promise.reject(new TypeError("connect ECONNREFUSED 10.0.0.7:8080"));

const trigger = async (api: FakeDeployment, more: object): Promise<{ status: number; body: Record<string, unknown> }> =>
  answerOf(await api.fetch("/api/runs", { json: { runId: "r", ...more } }));

describe("a remote step handler", () => {
  test("API8 a trigger of a workflow or version that it does not serve is answered 404, and stores nothing", async () => {
    const api = remote(handler);
    for (const json of [{ workflowId: "nope" }, { workflowId: "hi", workflowVersion: "3" }]) {
      const answer = await trigger(api, { ...json, idempotencyKey: "k" });
      expect(answer).toMatchObject({ status: 404, body: { error: "workflow_not_found" } });
      expect(answer.body["message"]).toContain('It serves: "hello", "hi" (version 2).');
    }
    expect(api.storageOf("r").rows.size).toBe(0);
    const served = [{ workflowId: "hello" }, { workflowId: "hello", workflowVersion: "9" }, { workflowId: "hi" }];
    for (const [i, json] of served.entries())
      expect((await trigger(api, { ...json, runId: `s${i}` })).status).toBe(201);
  });

  test("DUR8 a trigger is accepted while it cannot be reached, lists nothing, or does not answer", async () => {
    expect((await trigger(remote(down), { workflowId: "any" })).status).toBe(201);
    expect(
      (
        await trigger(remote(createStepHandler({ workflows: [], signingKeys: [key], audience: URL_OF_HANDLER })), {
          workflowId: "any",
        })
      ).status,
    ).toBe(201);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const seen: number[] = [];
    const hanging = remote(() => new Promise(() => {}));
    void trigger(hanging, { workflowId: "any" }).then(({ status }) => seen.push(status));
    for (let waits = 0; seen.length === 0 && waits < 20; waits++) {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(500);
    }
    expect(seen).toEqual([201]);
  });

  test("API8 a repeated trigger gets its run, whatever the step handler serves now", async () => {
    let answer: Answering = handler;
    const api = remote((request) => answer(request));
    await trigger(api, { workflowId: "hello" });
    answer = createStepHandler({
      workflows: [workflow({ id: "other", run: () => 1 })],
      signingKeys: [key],
      audience: URL_OF_HANDLER,
    });
    expect((await trigger(api, { workflowId: "hello" })).status).toBe(200);
  });

  test.each([
    ["it is down", down],
    ["a proxy answers", async () => new Response("<html>10.0.0.7</html>", { status: 502 })],
    ["it sends no list", async () => Response.json({ workflows: 7 })],
    ["it sends a list of something else", async () => Response.json({ workflows: [{ name: "x" }] })],
    ["it sends no JSON", async () => new Response("hello")],
    [
      "it rejects the key",
      createStepHandler({ workflows: [], signingKeys: ["another-signing-key"], audience: URL_OF_HANDLER }),
    ],
  ] satisfies [string, Answering][])("API8 GET /api/workflows answers 502 if %s", async (_what, answer) => {
    expectOutput("a step handler that cannot list its workflows", /could not list its workflows/);
    const { status, body } = await answerOf(await remote(answer).fetch("/api/workflows"));
    expect([status, body["error"]]).toEqual([502, "dispatcher_unreachable"]);
    expect(JSON.stringify(body)).not.toContain("10.0.0.7");
  });
});

describe("a sibling Worker", () => {
  test("RUN7 a binding that only has fetch is refused where it is given, and so is an entry point with pipe: fetch", () => {
    const onlyFetch = { fetch: handler };
    expect(() => createServiceBindingDispatcher({ binding: onlyFetch })).toThrow(/entrypoint.*pipe: "fetch"/);
    const onlyRpc = { execute: async () => {}, workflows: async () => ({ protocol: 1, workflows: [] }) };
    expect(() => createServiceBindingDispatcher({ binding: onlyRpc, pipe: "fetch" })).toThrow(
      "without a fetch handler",
    );
    expect(() => createServiceBindingDispatcher({ binding: onlyRpc })).not.toThrow();
    expect(() => createServiceBindingDispatcher({ binding: onlyFetch, pipe: "fetch" })).not.toThrow();
  });

  test("API8 a binding to a Worker without the entry point is answered 503, naming both remedies", async () => {
    expectOutput("a binding to a Worker without the entry point", /misconfigured|could not list its workflows/);
    const list = NO_METHOD.replace("execute", "workflows");
    const noFetch = "Handler does not export a fetch() function.";
    const wirings = [
      { binding: bindingTo(list), remedy: /entrypoint.*pipe: "fetch"/ },
      { binding: bindingTo(noFetch), pipe: "fetch" as const, remedy: /pipe: "fetch" out/ },
    ];
    for (const { remedy, ...options } of wirings) {
      const api = new FakeDeployment([], {}, createServiceBindingDispatcher(options));
      const answers = [await trigger(api, { workflowId: "any" }), await answerOf(await api.fetch("/api/workflows"))];
      for (const { status, body } of answers) {
        expect([status, body["error"]]).toEqual([503, "misconfigured"]);
        expect(body["message"]).toMatch(remedy);
      }
    }
  });

  test.each([
    ["rpc", bindingTo(NO_METHOD, { workflows: async () => ({ protocol: 1, workflows: [] }) }), 'pipe: "fetch"'],
    ["fetch", bindingTo("", { fetch: async () => new Response("no route", { status: 404 }) }), "404: no route"],
  ] as const)("DUR8 a run is paused at once if the pipe %s cannot work: %#", async (pipe, binding, remedy) => {
    const api = new FakeDeployment([], {}, createServiceBindingDispatcher({ binding, pipe }));
    await trigger(api, { workflowId: "any" });
    await vi.waitUntil(() => JSON.stringify(api.storageOf("r").rows.get("record")).includes('"paused"'));
    const { error } = (await answerOf(await api.fetch("/api/runs/r"))).body as { error: Record<string, string> };
    expect(error).toMatchObject({ code: "DISPATCH_REFUSED", message: expect.stringContaining(remedy) });
  });
});

describe("a binding of the wrong kind", () => {
  const request = (): Request => new Request("https://flows.example/api/runs/r");

  test("SEC9 a service in the place of a namespace is answered 503", async () => {
    expectOutput("a misconfigured deployment", /misconfigured/);
    const runDO = bindingTo("") as unknown as DurableObjectNamespaceLike;
    const answer = await answerOf(await handleWorkerRequest(request(), { runDO, verifyRequest: "open" }));
    expect([answer.status, answer.body["error"]]).toEqual([503, "misconfigured"]);
    expect(() => durableObjectIndex({ binding: runDO })).toThrow("binding");
  });

  test("SEC9 an object whose class cannot make its dependencies is answered 503, and the log has the reason", async () => {
    expectOutput("a misconfigured deployment", /misconfigured.*createServiceBindingDispatcher/);
    const fetch = (): Promise<never> =>
      Promise.reject(
        new HoldfastError("INVALID_ARGUMENT", "createServiceBindingDispatcher.binding: must be a binding"),
      );
    const runDO = { idFromName: (name: string) => name, get: () => ({ fetch }) };
    const answer = await answerOf(await handleWorkerRequest(request(), { runDO, verifyRequest: "open" }));
    expect([answer.status, answer.body["error"]]).toEqual([503, "misconfigured"]);
  });

  test("SEC1 the remedy of a closed Worker of one's own names what exists there", async () => {
    const runDO = { idFromName: (name: string) => name, get: () => ({ fetch: handler }) };
    const { body } = await answerOf(await handleWorkerRequest(request(), { runDO }));
    expect(body["message"]).toContain("verifyRequest");
    expect(body["message"]).not.toMatch(/AUTH |wrangler/);
  });
});
