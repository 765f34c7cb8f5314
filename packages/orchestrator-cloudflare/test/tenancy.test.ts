import { SIGNATURE_HEADER, signRequest } from "@holdfast/protocol/transport";
import { workflow } from "@holdfast/workflows";
import { SignJWT, createLocalJWKSet, exportJWK, generateKeyPair } from "jose";
import { describe, expect, test, vi } from "vitest";
import {
  type BearerToken,
  KEY_HEADER,
  type Scope,
  type VerifyRequest,
  anyOf,
  bearerAuth,
  cloudflareAccess,
  hmacAuth,
  jwtAuth,
} from "../src/index.ts";
import { FakeDeployment, answerOf, tokenOf } from "./fake-platform.ts";

const answers = workflow({
  id: "answers",
  run: async (_input, ctx) => {
    const own = ctx.waitForToken({ tokenId: "own" });
    return [await ctx.waitForSignal("go"), await own.wait()];
  },
});
const parent = workflow({ id: "parent", run: (_input, ctx) => ctx.invoke(child, {}) });
const child = workflow({ id: "child", run: (_input, ctx) => `child of ${ctx.run.triggeredBy}` });
const keyed = workflow({
  id: "keyed",
  run: async (_input, ctx) => [ctx.run.tenantId, await ctx.step("charge", ({ idempotencyKey }) => idempotencyKey)],
});
const workflows = [answers, parent, child, keyed];

const TOKENS: BearerToken[] = [
  { token: "acme", tenantId: "acme", subject: "ann", scopes: ["read", "trigger", "deliver", "operate"] },
  { token: "globex", tenantId: "globex", subject: "gus", scopes: ["read", "trigger", "deliver", "operate"] },
  { token: "root", subject: "root" },
];

type Call = (
  path: string,
  json?: unknown,
  method?: string,
) => Promise<{ status: number; body: Record<string, unknown> }>;

function callers(tokens: readonly BearerToken[] = TOKENS): { api: FakeDeployment; as: (token: string) => Call } {
  const api = new FakeDeployment(workflows, {
    verifyRequest: bearerAuth(tokens.map((one) => ({ ...one, token: tokenOf(one.token) }))),
  });
  const as =
    (token: string): Call =>
    async (path, json, method) => {
      const headers = { Authorization: `Bearer ${tokenOf(token)}` };
      const response = await api.fetch(path, {
        headers,
        ...(json === undefined ? {} : { json }),
        ...(method === undefined ? {} : { method }),
      });
      return response.status === 204 ? { status: 204, body: {} } : answerOf(response);
    };
  return { api, as };
}

async function untilStatus(call: Call, path: string, status: string): Promise<Record<string, unknown>> {
  return vi.waitFor(async () => {
    const { body } = await call(path);
    if (body["status"] !== status) throw new Error(`it is ${JSON.stringify(body)}`);
    return body;
  });
}

describe("tenants", () => {
  test("SEC2 two tenants can use the same run id, and neither sees the other's run", async () => {
    const { as } = callers();
    const [acme, globex, root] = [as("acme"), as("globex"), as("root")];
    const run = { runId: "r", workflowId: "answers", input: 1 };
    expect((await acme("/api/runs", run)).status).toBe(201);
    for (const other of [globex, root]) {
      expect(await other("/api/runs/r")).toMatchObject({ status: 404, body: { error: "not_found" } });
      for (const path of ["signals", "events", "tokens/own", "cancel", "pause", "unpause", "retry"]) {
        const body = { signals: { name: "go" }, events: { eventType: "go" } }[path] ?? {};
        expect(await other(`/api/runs/r/${path}`, body)).toMatchObject({ status: 404, body: { error: "not_found" } });
      }
      for (const path of ["journal", "audit"]) expect((await other(`/api/runs/r/${path}`)).status).toBe(404);
      expect((await other("/api/runs/r", undefined, "DELETE")).status).toBe(404);
    }
    // No conflict, although the inputs differ: it is another run.
    expect((await globex("/api/runs", { ...run, input: 2 })).status).toBe(201);
    expect((await acme("/api/runs/r")).body).toMatchObject({ input: 1, tenantId: "acme", triggeredBy: "ann" });
    expect((await globex("/api/runs/r")).body).toMatchObject({ input: 2, tenantId: "globex", triggeredBy: "gus" });
  });

  test("SEC2 no id of a request gives access to another tenant", async () => {
    const { api, as } = callers();
    await as("acme")("/api/runs", { runId: "r", workflowId: "answers" });
    const name = [...api.storages.keys()].find((key) => key.endsWith("r")) ?? "";
    expect(name).not.toBe("r");
    expect(await as("root")(`/api/runs/${encodeURIComponent(name)}`)).toMatchObject({
      status: 400,
      body: { error: "invalid_id" },
    });
    expect((await as("root")("/api/runs", { runId: name, workflowId: "answers" })).status).toBe(400);
  });

  test("RUN9 two tenants' runs with one id, and a run that is made again, have different idempotency keys", async () => {
    const { as } = callers();
    const outputs: unknown[] = [];
    const run = async (tenant: string): Promise<void> => {
      await as(tenant)("/api/runs", { runId: "r", workflowId: "keyed" });
      outputs.push((await untilStatus(as(tenant), "/api/runs/r", "completed"))["output"]);
    };
    for (const tenant of ["acme", "globex"]) await run(tenant);
    expect((await as("acme")("/api/runs/r", undefined, "DELETE")).status).toBe(204);
    await run("acme");
    const key: unknown = expect.stringMatching(/^[0-9a-f]{56}$/);
    expect(outputs).toEqual([
      ["acme", key],
      ["globex", key],
      ["acme", key],
    ]);
    expect(new Set(outputs.map(String)).size).toBe(3);
  });

  test("SEC2 a child and its messages belong to the parent's tenant", async () => {
    const { api, as } = callers();
    await as("acme")("/api/runs", { runId: "p", workflowId: "parent" });
    expect(await untilStatus(as("acme"), "/api/runs/p", "completed")).toMatchObject({ output: "child of parent" });
    const names = [...api.storages].filter(([, { rows }]) => rows.has("record")).map(([name]) => name);
    expect(names).toHaveLength(2);
    for (const name of names) expect(name).toContain("acme");
  });

  test("SEC2 the same idempotency key belongs to different runs in different tenants", async () => {
    const { as } = callers();
    const body = { idempotencyKey: "k", workflowId: "answers" };
    const [first, second] = [await as("acme")("/api/runs", body), await as("globex")("/api/runs", body)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect((await as("acme")("/api/runs", body)).status).toBe(200);
  });
});

describe("scopes", () => {
  const NEEDS: [Scope, string, string, unknown][] = [
    ["read", "GET", "/api/runs/r", undefined],
    ["read", "GET", "/api/runs/r/journal", undefined],
    ["read", "GET", "/api/runs/r/audit", undefined],
    ["read", "GET", "/api/workflows", undefined],
    ["trigger", "POST", "/api/runs", { workflowId: "answers" }],
    ["trigger", "POST", "/api/runs/r/resume", {}],
    ["deliver", "POST", "/api/runs/r/events", { eventType: "e" }],
    ["deliver", "POST", "/api/runs/r/signals", { name: "s" }],
    ["deliver", "POST", "/api/runs/r/tokens/t", {}],
    ["operate", "POST", "/api/runs/r/cancel", {}],
    ["operate", "POST", "/api/runs/r/pause", {}],
    ["operate", "POST", "/api/runs/r/unpause", {}],
    ["operate", "POST", "/api/runs/r/retry", {}],
    ["operate", "DELETE", "/api/runs/r", undefined],
  ];

  test.each(NEEDS)("SEC1 the scope %s is necessary and sufficient for %s %s", async (scope, method, path, json) => {
    const all: Scope[] = ["read", "trigger", "deliver", "operate", "admin"];
    const { as } = callers([
      { token: "with", scopes: [scope] },
      { token: "without", scopes: all.filter((one) => one !== scope) },
    ]);
    expect(await as("without")(path, json, method)).toMatchObject({
      status: 403,
      body: { error: "forbidden", message: expect.stringContaining(`needs the scope "${scope}"`) },
    });
    expect((await as("with")(path, json, method)).status).not.toBe(403);
  });

  test("SEC5 the server sets the tenant data, environment and origin of a run, unless the caller has the scope admin", async () => {
    const { as } = callers([
      { token: "plain", scopes: ["trigger", "read", "operate"], tenantMeta: { plan: "free" } },
      { token: "admin", scopes: ["trigger", "read", "admin"] },
    ]);
    for (const field of [{ tenantMeta: { plan: "gold" } }, { environment: "production" }]) {
      const body = { runId: "r", workflowId: "answers", ...field };
      expect(await as("plain")("/api/runs", body)).toMatchObject({ status: 403, body: { error: "forbidden" } });
    }
    expect((await as("plain")("/api/runs/x/resume", { triggeredByUserId: "eve" })).status).toBe(403);
    expect((await as("plain")("/api/runs", { runId: "r", workflowId: "answers" })).body).toMatchObject({
      tenantMeta: { plan: "free" },
      triggeredBy: expect.stringMatching(/^token-[0-9a-f]{8}$/),
    });
    const elsewhere = { runId: "t", workflowId: "answers", resumeFromStep: "x" };
    expect((await as("plain")("/api/runs/elsewhere/resume", elsewhere)).body).toMatchObject({
      tenantMeta: { plan: "free" },
    });
    const body = { runId: "s", workflowId: "answers", tenantMeta: { plan: "gold" }, environment: "staging" };
    expect((await as("admin")("/api/runs", body)).body).toMatchObject({
      tenantMeta: { plan: "gold" },
      environment: "staging",
    });
  });

  test("SEC1 the audit of a run contains the actions of callers, without rejected ones", async () => {
    const { as } = callers();
    const acme = as("acme");
    await acme("/api/runs", { runId: "r", workflowId: "answers" });
    await acme("/api/runs/r/signals", { name: "later", deliveryId: "d" });
    await acme("/api/runs/r/signals", { name: "later", deliveryId: "d" });
    await acme("/api/runs/r/tokens/nope", {});
    await acme("/api/runs/r/pause", {});
    await acme("/api/runs/r/unpause", {});
    await acme("/api/runs/r/tokens/own", { payload: "secret" });
    await acme("/api/runs/r/cancel", { reason: "enough" });
    const { entries } = (await acme("/api/runs/r/audit")).body as { entries: object[] };
    expect(entries).toMatchObject(
      [["trigger"], ["deliver", "signal later"], ["pause"], ["unpause"], ["resolveToken"], ["cancel", "enough"]].map(
        ([action, detail]) => ({ action, by: "ann", ...(detail === undefined ? {} : { detail }) }),
      ),
    );
    expect(entries).toHaveLength(6);
    expect(JSON.stringify(entries)).not.toContain("own");
  });
});

describe("other sites", () => {
  test("SEC6 no other route has CORS", async () => {
    const { api, as } = callers();
    await as("acme")("/api/runs", { runId: "r", workflowId: "answers" });
    const answer = await api.fetch("/api/runs/r", { method: "OPTIONS", headers: { Origin: "https://evil.example" } });
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });
});

describe("verifiers", () => {
  const statusWith = async (verifyRequest: VerifyRequest, headers: Record<string, string>): Promise<number> =>
    (await new FakeDeployment(workflows, { verifyRequest }).fetch("/api/workflows", { headers })).status;

  test("SEC1 tokens can be configured as digests, as JSON, and with scopes", async () => {
    const sha256 = "sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"; // of "password"
    const verify = bearerAuth(JSON.stringify([{ token: sha256, scopes: ["read"] }, tokenOf("plain")]));
    for (const token of ["password", tokenOf("plain")])
      expect(await statusWith(verify, { Authorization: `Bearer ${token}` })).toBe(200);
    for (const token of [sha256, sha256.slice(7), "Password"])
      expect(await statusWith(verify, { Authorization: `Bearer ${token}` })).toBe(401);
    for (const bad of ["[1]", "[{}]", "[nonsense", '[{"token":"sha256:12"}]', '[{"token":"a","scopes":["all"]}]'])
      expect(() => bearerAuth(bad)).toThrow("bearerAuth");
  });

  test("SEC1 a signed request is accepted once, and a changed one is rejected", async () => {
    const keys = [
      { id: "ci", secret: "a-secret-of-the-past", scopes: ["read", "trigger"] as const },
      { id: "ci", secret: "a-secret-of-today-1", scopes: ["read", "trigger"] as const },
    ];
    const api = new FakeDeployment(workflows, { verifyRequest: hmacAuth(keys) });
    const send = async (
      body: string,
      signed = body,
      at = Date.now(),
      key = "ci",
      secret = "a-secret-of-today-1",
    ): Promise<number[]> => {
      const json = { "Content-Type": "application/json" };
      const request = { method: "POST", path: "/api/runs", body: signed, headers: new Headers(json) };
      const headers = {
        ...json,
        [SIGNATURE_HEADER]: await signRequest(request, secret, at, crypto.randomUUID()),
        [KEY_HEADER]: key,
      };
      const twice = [
        await api.fetch("/api/runs", { method: "POST", body, headers }),
        await api.fetch("/api/runs", { method: "POST", body, headers }),
      ];
      return twice.map(({ status }) => status);
    };
    const body = JSON.stringify({ workflowId: "child" });
    expect(await send(body)).toEqual([201, 425]);
    expect(await send(body, body, Date.now(), "ci", "a-secret-of-the-past")).toEqual([201, 425]);
    expect(await send(body, `${body} `)).toEqual([401, 401]);
    expect(await send(body, body, Date.now() - 301_000)).toEqual([425, 425]);
    expect(await send(body, body, Date.now(), "someone")).toEqual([401, 401]);
    expect((await api.fetch("/api/workflows")).status).toBe(401);
    expect(() => hmacAuth([{ id: "a", secret: "short" }])).toThrow("16 characters");
  });

  test("SEC1 a token of the issuer is accepted with its scopes; expired, foreign and unsigned tokens are rejected", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwks = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" }] });
    const claims = { issuer: "https://id.example", audience: "holdfast" };
    const verify = jwtAuth({ jwks, ...claims });
    const token = (
      change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
      scope = "openid holdfast:read",
      key = privateKey,
    ): Promise<string> => {
      const jwt = new SignJWT({ scope }).setProtectedHeader({ alg: "ES256", kid: "k1" }).setSubject("ada");
      return change(jwt.setIssuer(claims.issuer).setAudience(claims.audience).setExpirationTime("5m")).sign(key);
    };
    const status = async (text: string): Promise<number> => statusWith(verify, { Authorization: `Bearer ${text}` });
    expect(await status(await token())).toBe(200);
    expect(await status(await token(undefined, "holdfast:trigger"))).toBe(403);
    expect(await status(await token((jwt) => jwt.setExpirationTime(1)))).toBe(401);
    expect(await status(await token((jwt) => jwt.setIssuer("https://evil.example")))).toBe(401);
    expect(await status(await token((jwt) => jwt.setAudience("another")))).toBe(401);
    expect(await status(await token(undefined, undefined, (await generateKeyPair("ES256")).privateKey))).toBe(401);
    const [, payload = ""] = (await token()).split(".");
    expect(await status(`${btoa('{"alg":"none"}').replaceAll("=", "")}.${payload}.x`)).toBe(401);
    expect(await status("")).toBe(401);
    // The names of headers have no case.
    const lower = jwtAuth({ jwks, ...claims, header: "authorization" });
    expect(await statusWith(lower, { Authorization: `Bearer ${await token()}` })).toBe(200);
    // Cloudflare Access uses another header. A request without that header is left to the next verifier.
    expect(
      await statusWith(anyOf(cloudflareAccess("team", "aud"), bearerAuth([tokenOf("t")])), {
        Authorization: `Bearer ${tokenOf("t")}`,
      }),
    ).toBe(200);
    expect(() => jwtAuth({ jwks, issuer: "https://id.example", audience: [] })).toThrow("audience");
  });

  test("SEC1 a request is answered 503 if the issuer's keys cannot be loaded", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    const verify = jwtAuth({
      jwks: async () => {
        throw new TypeError("network");
      },
      issuer: "https://id.example",
      audience: "holdfast",
    });
    const header = btoa('{"alg":"ES256","kid":"k1"}').replaceAll("=", "");
    expect(await statusWith(verify, { Authorization: `Bearer ${header}.e30.c2ln` })).toBe(503);
    vi.restoreAllMocks();
  });

  test("SEC1 with several verifiers, the first result that is not false decides", async () => {
    const verify = anyOf(bearerAuth([{ token: tokenOf("a"), scopes: ["read"] }]), () => ({
      subject: "fallback",
      scopes: [],
    }));
    expect(await statusWith(verify, { Authorization: `Bearer ${tokenOf("a")}` })).toBe(200);
    expect(await statusWith(verify, {})).toBe(403);
    expect(
      await statusWith(
        anyOf(
          () => false,
          () => false,
        ),
        {},
      ),
    ).toBe(401);
  });

  test("SEC1 a request is rejected if its verifier returns an invalid principal", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    expect(await statusWith(() => ({ subject: "a", tenantId: "b\u0001c", scopes: ["read"] }), {})).toBe(401);
    expect(await statusWith(() => ({ subject: "", scopes: ["read"] }), {})).toBe(401);
    vi.restoreAllMocks();
  });
});
