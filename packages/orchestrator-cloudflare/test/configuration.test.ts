/** A wrong configuration closes the door, says which field is wrong, reveals nothing, and damages no run. */
import { readFileSync } from "node:fs";
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { hostileVariable } from "@holdfast/proof/fuzz-variables";
import { randomSeed } from "@holdfast/proof/output";
import { workflow } from "@holdfast/workflows";
import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createApp } from "../src/deployment/app.ts";
import { type ObjectContextLike } from "../src/deployment/deployment.ts";
import { type HibernatingSocketLike, type HmacKey, bearerAuth, handleWorkerRequest, hmacAuth } from "../src/index.ts";
import { FakeDeployment, FakeSql, FakeStorage, answerOf } from "./fake-platform.ts";

const SECRET = "hush-hush-hush-hush";
const ID = { id: "ci", secret: SECRET };
let log: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  log = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => vi.restoreAllMocks());

class Base {}

class FakeContext implements ObjectContextLike {
  readonly storage = Object.assign(new FakeStorage(), { sql: new FakeSql() });
  acceptWebSocket(): void {}
  getWebSockets(): HibernatingSocketLike[] {
    return [];
  }
}

const sleeper = workflow({
  id: "sleeper",
  run: async (_input, ctx) => {
    await ctx.step("before", () => 1);
    await ctx.waitForSignal("go");
    return ctx.step("after", () => 2);
  },
});
const app = createApp<object>(Base, { workflows: [sleeper] });

/** An isolate: the environment is read at its first request. */
function isolate(variables: Record<string, unknown>, context = new FakeContext()) {
  const env: Record<string, unknown> = { AUTH: "open", ...variables };
  const object = new app.WorkflowRunDO(context, env);
  env["WORKFLOW_RUN_DO"] = { idFromName: (id: string) => id, get: () => object };
  const fetch = (path: string, json?: unknown): Promise<Response> => {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${SECRET}` };
    const init = json === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(json) };
    return app.worker.fetch(new Request(`https://flows.example${path}`, init), env);
  };
  return { object, fetch };
}

const TOKENS: [text: string, words: string][] = [
  ['[{"token":"TOKEN","scope":["read"]}]', "token 1.scope: unknown option. Did you mean scopes?"],
  ['["0123456789abcdef",{"token":"TOKEN","tenant":"a"}]', "token 2.tenant: unknown option. Did you mean tenantId?"],
  ['[{"token":"TOKEN","tenantID":"a"}]', "Did you mean tenantId?"],
  ['[{"TOKEN":["read"]}]', "token 1: has an unknown field. The fields are token, scopes, tenantId"],
  ['[{"token":"TOKEN","scopes":"read"}]', "token 1.scopes: must be a list of read"],
  ['[{"token":"TOKEN","scopes":["TOKEN"]}]', "token 1.scopes.0: must be one of read"],
  ['[{"token":"TOKEN","scopes":null}]', "token 1.scopes"],
  ['[{"token":"TOKEN","tenantId":""}]', "token 1.tenantId: must be a valid id"],
  ['[{"token":"TOKEN","tenantId":null}]', "token 1.tenantId"],
  ['[{"token":"TOKEN","subject":7}]', "token 1.subject"],
  ['[{"token":"TOKEN","tenantMeta":"TOKEN"}]', "token 1.tenantMeta: must be an object"],
  ['[{"token":5}]', "token 1.token: must be text"],
  ['["TOKEN","TOKEN"]', "token 2 is in the list twice"],
  ['["TOKEN "]', "token 1: must be ASCII without blanks"],
  ["[null]", "token 1: must be an object"],
  ["[[]]", "token 1: must be an object"],
  ['{"token":"TOKEN"}', "must be a list"],
  ['"TOKEN"', "must be a list"],
  ["'TOKEN'", "without blanks, commas, quotes"],
  ["[TOKEN", "is not valid JSON"],
  ["x", "token 1: must have at least 16 characters"],
  ["TOKEN,x", "token 2: must have at least 16 characters"],
  ["fifteen-letters", "token 1: must have at least 16 characters"],
  ["sha256:12", "must be followed by 64"],
  [`SHA256:${"a".repeat(64)}`, 'token 1: a digest must start with "sha256:"'],
  [`sha-256=${"a".repeat(64)}`, 'token 1: a digest must start with "sha256:"'],
];

test.each(TOKENS)("SEC9 API_TOKENS=%s closes the door and names the field", async (text, words) => {
  const { fetch } = isolate({ API_TOKENS: text.replaceAll("TOKEN", SECRET) });
  for (const path of ["/api/runs/r", "/api/workflows", "/openapi.json", "/nowhere", "/public/tokens/t/r/x"]) {
    const { status, body } = await answerOf(await fetch(path));
    expect([status, body["error"]]).toEqual([503, "misconfigured"]);
    expect(JSON.stringify(body)).not.toMatch(/hush|API_TOKENS/);
  }
  const health = { ok: false, version: HOLDFAST_VERSION, misconfigured: true };
  expect(await answerOf(await fetch("/healthz"))).toEqual({ status: 503, body: health });
  expect(log.mock.calls).toEqual([[expect.stringContaining("API_TOKENS")]]);
  expect(String(log.mock.calls)).toContain(words);
  expect(String(log.mock.calls)).not.toContain(SECRET);
});

const OTHERS: [field: string, text: string, words: string][] = [
  ["RETENTION", "30 days", 'must be "forever", or a duration'],
  ["RETENTION", "-1d", 'must be "forever", or a duration'],
  ["LIMITS", '{"requestByte":5}', "Did you mean requestBytes?"],
  ["LIMITS", '{"requestBytes":"5"}', "must be a whole number"],
  ["LIMITS", "5", "must be JSON like"],
  ["LOG_EVENTS", "true", 'must be "all"'],
  ["OTLP_URL", `https://ann:${SECRET}@collector.example`, "without a password"],
  ["PUBLIC_URL", "flows.example", "must be an http or https URL"],
  ["PUBLIC_URL", `https://ann:${SECRET}@flows.example`, "without a password"],
  ["PUBLIC_URL", `https://flows.example/?${SECRET}`, "without a password, a query and a fragment"],
  ["PUBLIC_URL", " https://flows.example", "must be an http or https URL"],
  ["PUBLIC_URL", "https://flows.example\n", "must be an http or https URL"],
  ["PUBLIC_URL", "https:flows.example", "must be an http or https URL"],
  ["PUBLIC_URL", "https:\\\\flows.example", "must be an http or https URL"],
  ["ALLOWED_ORIGINS", "*", "must be an origin"],
  ["ALLOWED_ORIGINS", "https://app.example/", "must be an origin"],
  ["ALLOWED_ORIGINS", "https://app.example,,https://b.example", "must be an origin"],
  ["ALLOWED_ORIGINS", "null", "must be an origin"],
  ["URL_KEYS", "fifteen-letters", "must have keys of at least 16 characters"],
  ["URL_KEYS", `${SECRET},`, "must have keys of at least 16 characters"],
  ["URL_KEYS", `${SECRET},${SECRET}`, "must have no key twice"],
  ["URL_KEYS", `["${SECRET}"]`, "must have keys of ASCII"],
  ["URL_KEYS", `${SECRET} ${SECRET}1`, "must have keys of ASCII"],
  ["URL_KEYS", Array.from({ length: 17 }, (_none, n) => `${SECRET}${n}`).join(), "must have at most 16 keys"],
  ["OTLP_HEADERS", `{"a b":"${SECRET}"}`, "no HTTP header can have"],
  ["OTLP_HEADERS", JSON.stringify({ a: `${SECRET}\u0000` }), "no HTTP header can have"],
  ["OTLP_HEADERS", `{"a":["${SECRET}"]}`, "must be a JSON object of strings"],
];

test.each(OTHERS)("SEC9 %s=%s closes the door and names the field", async (field, text, words) => {
  const { fetch } = isolate({ [field]: text });
  expect((await fetch("/api/workflows")).status).toBe(503);
  expect(log.mock.calls).toEqual([[expect.stringContaining(field)]]);
  expect(String(log.mock.calls)).toContain(words);
  expect(String(log.mock.calls)).not.toContain(SECRET);
});

test("SEC9 PUBLIC_RATE_LIMIT of another kind closes the door", async () => {
  const answer = await answerOf(await isolate({ PUBLIC_RATE_LIMIT: "100" }).fetch("/api/workflows"));
  expect(answer).toMatchObject({ status: 503, body: { message: expect.stringContaining("PUBLIC_RATE_LIMIT") } });
});

test("SEC9 all wrong fields are named together", async () => {
  await isolate({ RETENTION: "30 days", LIMITS: "5", API_TOKENS: "x", PAYLOADS: {} }).fetch("/healthz");
  expect(log.mock.calls).toHaveLength(1);
  for (const field of ["RETENTION", "LIMITS", "API_TOKENS", "PAYLOADS"])
    expect(String(log.mock.calls)).toContain(field);
});

test("SEC9 whatever a variable contains, each route answers 503 misconfigured or works, and the log has no secret", async () => {
  const variable = fc.constantFrom(
    "API_TOKENS",
    "RETENTION",
    "LIMITS",
    "OTLP_URL",
    "OTLP_HEADERS",
    "URL_KEYS",
    "PUBLIC_URL",
    "ALLOWED_ORIGINS",
    "AUTH",
    "HOLD",
  );
  await fc.assert(
    fc.asyncProperty(variable, hostileVariable(SECRET), async (name, text) => {
      const { fetch } = isolate({ AUTH: undefined, [name]: text });
      for (const path of ["/healthz", "/api/workflows"]) {
        const { status, body } = await answerOf(await fetch(path));
        const codes = ["misconfigured", "auth_not_configured", undefined];
        if (status >= 500) expect(path === "/healthz" ? [undefined] : codes).toContain(body["error"]);
        expect([200, 401, 403, 503]).toContain(status);
      }
      // The names of limits are no secrets, so an unknown name is quoted.
      if (name !== "LIMITS") expect(String(log.mock.calls)).not.toContain(SECRET);
      log.mockClear();
    }),
    { numRuns: 300, seed: randomSeed() },
  );
});

const KEYS: [keys: unknown, words: string][] = [
  [[{ ...ID, scope: ["read"] }], "key 1.scope: unknown option. Did you mean scopes?"],
  [[{ ...ID, tenant: "a" }], "key 1.tenant: unknown option. Did you mean tenantId?"],
  [[{ [SECRET]: 1 }], "key 1: has an unknown field"],
  [[{ ...ID, secret: "short" }], "at least 16 characters"],
  [[{ ...ID, secret: undefined }], "key 1.secret"],
  [[{ secret: SECRET }], "key 1.id: is missing"],
  [[ID, { ...ID, tenantId: "a" }], "key 2 has the id of another key"],
  [[ID, { ...ID, scopes: ["read"] }], "key 2 has the id of another key"],
  [{ keys: [ID] }, "hmacAuth: must be a list"],
  [`[{"id":"ci","secret":"${SECRET}"`, "hmacAuth: is not valid JSON"],
];

test.each(KEYS)("RUN7 hmacAuth refuses %j where it is given", (keys, words) => {
  expect(() => hmacAuth(keys as HmacKey[])).toThrow(words);
  expect(() => hmacAuth(keys as HmacKey[])).not.toThrow(SECRET);
});

test("SEC1 hmacAuth takes its keys as JSON too, and without keys it is closed", async () => {
  const { runDO } = new FakeDeployment([]);
  const statusWith = async (keys: Parameters<typeof hmacAuth>[0]) =>
    (
      await handleWorkerRequest(new Request("https://flows.example/api/runs/r"), {
        runDO,
        verifyRequest: hmacAuth(keys),
      })
    ).status;
  for (const nothing of [undefined, null, "", []]) expect(await statusWith(nothing)).toBe(503);
  expect(await statusWith(JSON.stringify([ID]))).toBe(401);
});

test("SEC9 a hand-written Worker answers 503 misconfigured if its dependencies cannot be made", async () => {
  const { runDO } = new FakeDeployment([]);
  for (const make of [() => ({ runDO, verifyRequest: bearerAuth("x") }), () => JSON.parse(`{${SECRET}`) as never]) {
    for (const path of ["/healthz", "/api/runs/r"])
      expect((await handleWorkerRequest(new Request(`https://flows.example${path}`), make)).status).toBe(503);
  }
  expect(String(log.mock.calls)).toContain("token 1: must have at least 16 characters");
  expect(String(log.mock.calls)).not.toContain(SECRET);
});

test("SEC9 DUR5 runs under a wrong configuration keep their rows and an alarm, and continue when it is corrected", async () => {
  const context = new FakeContext();
  const good = isolate({}, context);
  await good.fetch("/api/runs", { workflowId: "sleeper", runId: "r" });
  await vi.waitFor(() => expect(context.storage.rows.get("record")).toMatchObject({ status: "waiting" }));
  const rows = structuredClone(context.storage.rows);
  const bad = isolate({ RETENTION: "30 days" }, context);
  for (let i = 0; i < 20; i++) {
    context.storage.alarmAt = null;
    await bad.object.alarm();
    expect(context.storage.alarmAt).toBeGreaterThan(Date.now());
    expect(context.storage.alarmAt).toBeLessThan(Date.now() + 60_000);
    expect((await bad.fetch("/api/runs/r/signals", { name: "go", payload: null })).status).toBe(503);
  }
  expect(context.storage.rows).toEqual(rows);
  const corrected = isolate({ RETENTION: "30d" }, context);
  expect((await corrected.fetch("/api/runs/r/signals", { name: "go", payload: null })).status).toBe(202);
  await vi.waitFor(() => expect(context.storage.rows.get("record")).toMatchObject({ status: "completed" }));
});

test("SEC9 the version in answers is the version of the package", () => {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  expect(JSON.parse(manifest)).toMatchObject({ version: HOLDFAST_VERSION });
});
