/** tests: the composition root: options, bindings, variables, and the answers of a misconfigured deployment */
import { workflow } from "@holdfast/workflows";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { afterEach, describe, expect, test, vi } from "vitest";
import { KeyRing } from "../src/auth/key-ring.ts";
import { writeTicket } from "../src/auth/tickets.ts";
import { createApp } from "../src/deployment/app.ts";
import { logInvalidFields } from "../src/deployment/environment.ts";
import type { HoldfastDeps, HoldfastOptions, ObjectContextLike } from "../src/deployment/deployment.ts";
import {
  type BucketLike,
  type DurableObjectNamespaceLike,
  type HibernatingSocketLike,
  handleDurableObjectRequest,
  handleRunIndexRequest,
  handleWorkerRequest,
} from "../src/index.ts";
import { NO_RUN } from "../src/run-object/names.ts";
import handWritten, { WorkflowRunDO } from "./hand-written-worker.ts";
import { checkAnswer } from "./openapi-check.ts";
import { FakeSql, FakeStorage, answerOf } from "./fake-platform.ts";

afterEach(() => vi.restoreAllMocks());

const hello = workflow({ id: "hello", run: (_input, ctx) => ctx.step("greet", () => "hello") });

class Base {}

class FakeContext implements ObjectContextLike {
  readonly storage = Object.assign(new FakeStorage(), { sql: new FakeSql() });
  acceptWebSocket(): void {}
  getWebSockets(): HibernatingSocketLike[] {
    return [];
  }
}

/** A deployed app: objects are created at their first request. */
class Deployed {
  readonly env: Record<string, unknown>;
  readonly app;
  readonly contexts = new Map<string, FakeContext>();

  constructor(variables: Record<string, unknown> = {}, options: HoldfastOptions<any> = { workflows: [hello] }) {
    this.app = createApp<any>(Base, options);
    this.env = { WORKFLOW_RUN_DO: this.#namespace("WorkflowRunDO"), AUTH: "off", ...variables };
    vi.spyOn(console, "warn").mockImplementation(() => {});
  }

  withIndex(): this {
    this.env["RUN_INDEX_DO"] = this.#namespace("RunIndexDO");
    return this;
  }

  #namespace(name: "WorkflowRunDO" | "RunIndexDO"): DurableObjectNamespaceLike<string> {
    const objects = new Map<string, { fetch(request: Request): Promise<Response> }>();
    return {
      idFromName: (id) => id,
      get: (id) => {
        const context = this.contexts.get(id) ?? new FakeContext();
        this.contexts.set(id, context);
        const object = objects.get(id) ?? new this.app[name](context, this.env);
        objects.set(id, object);
        return object;
      },
    };
  }

  async fetch(path: string, json?: unknown): Promise<Response> {
    const headers = { "Content-Type": "application/json", Prefer: "wait=5" };
    const init: RequestInit & { body?: string } =
      json === undefined ? {} : { method: "POST", headers, body: JSON.stringify(json) };
    const request = new Request(`https://flows.example${path}`, init);
    const response = await this.app.worker.fetch(request.clone(), this.env);
    await checkAnswer(request, response, init.body);
    return response;
  }
}

const logged = () => vi.spyOn(console, "error").mockImplementation(() => {});

describe("a Worker of holdfast()", () => {
  test("API1 the app serves the API and executes workflows, with one binding and no variable but AUTH", async () => {
    const deployed = new Deployed();
    expect(await answerOf(await deployed.fetch("/api/runs", { workflowId: "hello", runId: "r1" }))).toMatchObject({
      status: 201,
      body: { status: "completed", output: "hello", environment: "production" },
    });
    expect((await deployed.fetch("/api/runs")).status).toBe(501);
  });

  test("DASH1 the dashboard is at /ui of the Worker, also of one that is misconfigured, unless the option turns it off", async () => {
    const fetched = (app: Deployed["app"], env: object) =>
      app.worker.fetch(new Request("https://flows.example/ui/"), env);
    const { app, env } = new Deployed();
    expect((await fetched(app, env)).headers.get("Content-Type")).toBe("text/html;charset=utf-8");
    expect((await fetched(app, {})).status).toBe(200);
    const without = new Deployed({}, { workflows: [hello], dashboard: false });
    expect(await (await fetched(without.app, without.env)).json()).toMatchObject({ error: "route_not_found" });
  });

  test("IDX1 lists need only the binding RUN_INDEX_DO", async () => {
    const deployed = new Deployed().withIndex();
    await deployed.fetch("/api/runs", { workflowId: "hello", runId: "r1" });
    await expect
      .poll(async () => (await answerOf(await deployed.fetch("/api/runs"))).body["runs"])
      .toMatchObject([{ id: "r1", status: "completed" }]);
  });

  test("SEC1 the set-up of the deployment is described to callers with the scope admin", async () => {
    const variables = { PUBLIC_URL: "https://flows.example", ENVIRONMENT: "staging", HOLD: "true" };
    expect(await answerOf(await new Deployed(variables).withIndex().fetch("/api/deployment"))).toEqual({
      status: 200,
      body: {
        version: HOLDFAST_VERSION,
        now: expect.any(Number),
        environment: "staging",
        publicUrl: "https://flows.example",
        open: true,
        held: true,
        index: true,
        storage: "sqlite",
        compatibility: {},
      },
    });
    const bare = new Deployed({ AUTH: undefined }, { workflows: [hello], deps: () => ({ verifyRequest: () => true }) });
    const { body } = await answerOf(await bare.fetch("/api/deployment"));
    expect(body).toMatchObject({ open: false, held: false, index: false, publicUrl: null, environment: "production" });
  });

  test("SEC1 the set-up of a deployment whose objects have no SQLite storage says so", async () => {
    const error = logged();
    const deployed = new Deployed();
    const context = new FakeContext();
    Object.defineProperty(context.storage, "kv", {
      get: () => {
        throw new Error("not declared to use SQLite");
      },
    });
    deployed.contexts.set(NO_RUN, context);
    const { body } = await answerOf(await deployed.fetch("/api/deployment"));
    expect(body).toMatchObject({ storage: "unusable" });
    expect(error).toHaveBeenCalled();
  });

  test("LIM1 large payloads are moved to a bucket if the binding PAYLOADS exists", async () => {
    const put = vi.fn<BucketLike["put"]>(async () => ({}));
    const bucket: BucketLike = { put, get: async () => null, delete: async () => {} };
    const large = workflow({ id: "large", run: (_input, ctx) => ctx.step("make", () => "x".repeat(600_000)) });
    const deployed = new Deployed({ PAYLOADS: bucket }, { workflows: [large] });
    await deployed.fetch("/api/runs", { workflowId: "large", runId: "r1" });
    await expect.poll(() => put.mock.calls.map(([name]) => name).toSorted()[0]).toContain("runs/-/r1/");
  });

  test("RUN1 variables set the environment, and deps override variables", async () => {
    const created = async (deployed: Deployed) =>
      (await answerOf(await deployed.fetch("/api/runs", { workflowId: "hello", runId: "r1" }))).body["environment"];
    expect(await created(new Deployed({ ENVIRONMENT: "staging" }))).toBe("staging");
    const deps = (env: { NAME: string }) => ({ environment: env.NAME, publicUrl: undefined });
    const options = { workflows: [hello], deps };
    expect(await created(new Deployed({ ENVIRONMENT: "staging", NAME: "preview" }, options))).toBe("preview");
  });

  test("LIM1 limits come from the variable LIMITS, or from deps", async () => {
    const statusWith = async (deployed: Deployed) =>
      (await deployed.fetch("/api/runs", { workflowId: "hello", input: "x".repeat(2_000) })).status;
    expect(await statusWith(new Deployed())).toBe(201);
    expect(await statusWith(new Deployed({ LIMITS: '{"requestBytes":1000}' }))).toBe(413);
    const options = { workflows: [hello], deps: () => ({ limits: { requestBytes: 1_000 } }) };
    expect(await statusWith(new Deployed({ LIMITS: '{"requestBytes":3000}' }, options))).toBe(413);
  });

  test("SEC1 API_TOKENS restricts the API to its tokens, no tokens close it, and AUTH opens it", async () => {
    const statusWith = async (variables: Record<string, unknown>) =>
      (await new Deployed(variables).fetch("/api/workflows")).status;
    expect(await statusWith({ AUTH: undefined, API_TOKENS: "one-token-of-a-caller" })).toBe(401);
    for (const nothing of [undefined, null, ""])
      expect(await statusWith({ AUTH: nothing, API_TOKENS: nothing })).toBe(503);
    expect([await statusWith({ AUTH: "off" }), await statusWith({ AUTH: "open" })]).toEqual([200, 200]);
  });

  test("SEC11 SEC1 without API_TOKENS the deployment accepts no ticket, also if one of its keys signed it", async () => {
    const key = "the-key-of-this-test";
    const path = "/api/runs/r1/stream";
    const { ticket } = await writeTicket(new KeyRing([key]), { subject: "ann", scopes: ["read"] }, path);
    const statusWith = async (variables: Record<string, unknown>) =>
      (await new Deployed({ AUTH: undefined, URL_KEYS: key, ...variables }).fetch(`${path}?ticket=${ticket}`)).status;
    expect(await statusWith({ API_TOKENS: "one-token-of-a-caller" })).toBe(404);
    expect(await statusWith({})).toBe(503);
  });

  test("RUN7 unknown options are rejected by name when the Worker is loaded", () => {
    const make = (options: object) => () => createApp(Base, options as HoldfastOptions);
    expect(make({ workflows: [hello], dispatchers: [] })).toThrow("holdfast.dispatchers: unknown option");
    for (const [field, options] of [
      ["dispatcher", { dispatcher: "x" }],
      ["deps", { workflows: [hello], deps: {} }],
      ["runObject", { workflows: [hello], runObject: 1 }],
    ] as const)
      expect(make(options)).toThrow(`holdfast.${field}: must be a`);
    expect(make({ workflows: 5 })).toThrow("workflows: must be a list");
    expect(make({})).toThrow("holdfast: needs either workflows or dispatcher");
    expect(make({ workflows: [hello], dispatcher: () => {} })).toThrow(
      "holdfast: needs either workflows or dispatcher",
    );
  });

  test("DUR1 runObject replaces the dependencies of one object", async () => {
    const storage = new FakeStorage();
    const options: HoldfastOptions = { workflows: [hello], runObject: (deps) => ({ ...deps, storage }) };
    await new Deployed({}, options).fetch("/api/runs", { workflowId: "hello", runId: "r1" });
    expect(storage.rows.get("record")).toMatchObject({ status: "completed" });
  });
});

describe("a misconfigured deployment", () => {
  const WRONG: [field: string, variables: Record<string, unknown>][] = [
    ["WORKFLOW_RUN_DO", { WORKFLOW_RUN_DO: undefined }],
    ["RUN_INDEX_DO", { RUN_INDEX_DO: "no binding" }],
    ["PAYLOADS", { PAYLOADS: {} }],
    ["API_TOKENS", { API_TOKENS: '[{"scopes":["read"]}]' }],
    ["AUTH", { AUTH: "no" }],
    ["RETENTION", { RETENTION: "a while" }],
    ["LIMITS", { LIMITS: '{"inboxDeliveries":-1}' }],
    ["OTLP_URL", { OTLP_URL: "collector:4318" }],
    ["OTLP_HEADERS", { OTLP_HEADERS: "Authorization: hush-hush" }],
    ["ENVIRONMENT", { ENVIRONMENT: "x".repeat(300) }],
  ];

  test.each(WRONG)("SEC9 an invalid %s is answered 503 misconfigured, and logged once", async (field, variables) => {
    const log = logged();
    const deployed = new Deployed(variables);
    for (const path of ["/api/workflows", "/api/runs/r1", "/openapi.json", "/nowhere"]) {
      expect(await answerOf(await deployed.fetch(path))).toMatchObject({
        status: 503,
        body: { error: "misconfigured" },
      });
    }
    expect(await answerOf(await deployed.fetch("/healthz"))).toEqual({
      status: 503,
      body: { ok: false, version: HOLDFAST_VERSION, misconfigured: true },
    });
    expect(log.mock.calls).toEqual([[expect.stringContaining(field)]]);
    for (const text of ["hush-hush", "a while", `${field}: ${field}`, "limits: "])
      expect(String(log.mock.calls)).not.toContain(text);
  });

  test("SEC9 fields that a process logged at its start are not logged again", async () => {
    const log = logged();
    const deployed = new Deployed({ RETENTION: "a while" });
    logInvalidFields(deployed.env);
    expect((await deployed.fetch("/api/runs/r1")).status).toBe(503);
    expect(log.mock.calls).toEqual([[expect.stringContaining("RETENTION")]]);
    logInvalidFields(new Deployed().env);
    expect((await new Deployed({ RETENTION: "a while" }).fetch("/api/runs/r1")).status).toBe(503);
    expect(log).toHaveBeenCalledTimes(2);
  });

  test("OBS4 a request that fails is logged with its path, which for a public token is left out", async () => {
    const log = logged();
    const deployed = new Deployed();
    deployed.env["WORKFLOW_RUN_DO"] = {
      idFromName: (id: string) => id,
      get: () => ({ fetch: () => Promise.reject(new Error("internal error")) }),
    };
    const secret = `${"0".repeat(16)}/${"0".repeat(32)}/${"0".repeat(32)}`;
    for (const path of ["/api/runs/r1", `/public/tokens/-/r1/${secret}`]) await deployed.fetch(path);
    expect(log.mock.calls.map(([text]) => text as string)).toContain("holdfast: a request failed, GET /api/runs/r1:");
    expect(String(log.mock.calls)).not.toContain(secret);
  });

  test("SEC9 the answer names a missing binding, its class and its migration, and no variable", async () => {
    logged();
    const messageOf = async (variables: Record<string, unknown>) =>
      String((await answerOf(await new Deployed(variables).fetch("/api/workflows"))).body["message"]);
    const missing = await messageOf({ WORKFLOW_RUN_DO: undefined });
    for (const part of ["WORKFLOW_RUN_DO", "WorkflowRunDO", "new_sqlite_classes", "wrangler.jsonc"])
      expect(missing).toContain(part);
    expect(await messageOf({ RETENTION: "a while" })).not.toContain("RETENTION");
  });

  test("RUN7 unknown deps are rejected by name, and an error of deps or of a dispatcher is logged", async () => {
    const log = logged();
    await new Deployed({}, { workflows: [hello], deps: () => ({ verify: () => true }) as object }).fetch("/healthz");
    expect(String(log.mock.calls)).toContain("deps.verify: unknown option");
    const dispatcher = (): never => {
      throw new Error("no STEPS_URL");
    };
    expect((await new Deployed({}, { dispatcher }).fetch("/healthz")).status).toBe(503);
    expect(String(log.mock.calls)).toContain("no STEPS_URL");
  });

  const WRONG_DEPS: [field: string, deps: unknown][] = [
    ["deps: must be an object", undefined],
    ["deps: must be an object", Promise.resolve({})],
    ["deps.retention.default", { retention: { default: "30 hushes" } }],
    ["deps.retention.workflows.invoice", { retention: { workflows: { invoice: -1 } } }],
    ["deps.retention.defualt: unknown option", { retention: { defualt: "30d" } }],
    ["deps.publicUrl", { publicUrl: "not a url" }],
    ["deps.environment", { environment: "" }],
    ["deps.requestBytesMax", { requestBytesMax: "1000" }],
    ["deps.limits.auditRows", { limits: { auditRows: 0 } }],
    ["deps.limits.rows: unknown option", { limits: { rows: 1 } }],
    ["deps.telemetry.event", { telemetry: { event: "log" } }],
    ["deps.telemetry", { telemetry: "log" }],
    ["deps.bucket", { bucket: { put: () => {} } }],
    ["deps.runIndex", { runIndex: { query: () => {} } }],
    ["deps.verifyRequest", { verifyRequest: "hush" }],
  ];

  test.each(WRONG_DEPS)(
    "RUN7 SEC9 an invalid %s is answered 503 misconfigured, and logged once",
    async (field, deps) => {
      const log = logged();
      const deployed = new Deployed({}, { workflows: [hello], deps: () => deps as HoldfastDeps });
      for (const json of [{ workflowId: "hello", runId: "r1" }, undefined])
        expect((await deployed.fetch(json ? "/api/runs" : "/api/runs/r1", json)).status).toBe(503);
      expect(log.mock.calls).toEqual([[expect.stringContaining(field)]]);
      expect(String(log.mock.calls)).not.toContain("hush");
    },
  );

  test("RUN7 a dispatcher function that returns no dispatcher is reported, and so are invalid deps of runObject", async () => {
    const log = logged();
    const dispatcher = () => undefined as never;
    expect((await new Deployed({}, { dispatcher }).fetch("/healthz")).status).toBe(503);
    expect(String(log.mock.calls)).toContain("dispatcher: must return a dispatcher");
    const runObject: HoldfastOptions["runObject"] = (deps) => ({ ...deps, clock: 5 as never });
    const deployed = new Deployed({}, { workflows: [hello], runObject });
    expect((await deployed.fetch("/api/runs", { workflowId: "hello", runId: "r1" })).status).toBe(503);
    expect(String(log.mock.calls)).toContain("deps.clock: must be a function");
  });

  test("SEC9 DUR5 an alarm of a run is set again until the deployment is configured", async () => {
    logged();
    const { app } = new Deployed();
    const context = new FakeContext();
    await new app.WorkflowRunDO(context, {}).alarm();
    expect(context.storage.alarmAt).toBeGreaterThan(Date.now());
  });
});

describe("a class written by hand", () => {
  test("RUN7 SEC9 the exported handlers answer 503 misconfigured for invalid deps, and log each object once", async () => {
    const log = logged();
    const request = () => new Request("https://flows.example/api/runs/r1");
    const runDO = new Deployed().env["WORKFLOW_RUN_DO"] as DurableObjectNamespaceLike;
    const worker = { runDO, publicUrl: "not a url" };
    const object = { storage: new FakeStorage(), dispatcher: "x" as never };
    const index = { storage: {} as { sql: FakeSql } };
    for (const _time of [1, 2]) {
      expect((await handleWorkerRequest(request(), worker)).status).toBe(503);
      expect((await handleDurableObjectRequest(request(), object)).status).toBe(503);
      expect((await handleRunIndexRequest(request(), index)).status).toBe(503);
    }
    const fields = ["deps.publicUrl", "deps.dispatcher", "deps.storage.sql"];
    expect(log.mock.calls).toEqual(fields.map((field) => [expect.stringContaining(field)]));
  });

  test("API1 the class in the package's README serves the API and executes workflows", async () => {
    const objects = new Map<string, WorkflowRunDO>();
    const env = {
      API_TOKENS: "one-token-of-a-caller",
      WORKFLOW_RUN_DO: {
        idFromName: (id: string) => id,
        get(id: string) {
          const object = objects.get(id) ?? new WorkflowRunDO(new FakeContext(), env);
          objects.set(id, object);
          return object;
        },
      } as DurableObjectNamespaceLike,
    };
    const headers = {
      "Content-Type": "application/json",
      Authorization: "Bearer one-token-of-a-caller",
      Prefer: "wait=5",
    };
    const body = JSON.stringify({ workflowId: "hello", runId: "r1" });
    const request = new Request("https://flows.example/api/runs", { method: "POST", headers, body });
    expect(await answerOf(await handWritten.fetch(request, env))).toMatchObject({ body: { output: "hello" } });
    await objects.get("r1")?.alarm();
  });
});

describe("the pages of a Worker", () => {
  const REPOSITORY = join(import.meta.dirname, "../../..");
  const read = (path: string) => readFileSync(join(REPOSITORY, path), "utf8");
  const page = read("docs/how-to/add-to-your-worker.md");

  test("API1 the class that is written by hand is a file of the tests", () => {
    const code = read("packages/orchestrator-cloudflare/test/hand-written-worker.ts").replace(/^\/\*\*.*\*\/\n/, "");
    expect(read("docs/how-to/write-the-classes.md")).toContain(code);
  });

  test("API1 the bindings and migrations are those of examples/single-worker", () => {
    const config = read("examples/single-worker/wrangler.jsonc");
    const shown = /"durable_objects"[^]*?"migrations".*\n/.exec(config)?.[0];
    expect(shown).toContain("new_sqlite_classes");
    expect(page).toContain(shown);
  });
});

test("OBS2 LOG_EVENTS=all logs every event of a run", async () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await new Deployed().fetch("/api/runs", { workflowId: "hello", runId: "without" });
  expect(log).not.toHaveBeenCalled();
  await new Deployed({ LOG_EVENTS: "all" }).fetch("/api/runs", { workflowId: "hello", runId: "logged" });
  const types = log.mock.calls.map(([line]) => (JSON.parse(String(line)) as { readonly type: string }).type);
  expect(types).toEqual(["run.created", "step.completed", "run.ended"]);
});
