/** tests: who did what, and who was refused (SEC5) */
import { SignJWT, createLocalJWKSet, exportJWK, generateKeyPair } from "jose";
import { expectOutput } from "@holdfast/proof/output";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type VerifyRequest, bearerAuth, durableObjectIndex, hmacAuth, jwtAuth } from "../src/index.ts";
import { workflows } from "./api-workflows.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf, tokenOf } from "./fake-platform.ts";

const wait = { Prefer: "wait=5" };
const ann = { headers: { Authorization: `Bearer ${tokenOf("ann")}`, ...wait } };
const bob = { headers: { Authorization: `Bearer ${tokenOf("bob")}` } };

let logged: Record<string, unknown>[];
beforeEach(() => {
  logged = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void logged.push(JSON.parse(line)));
});
afterEach(() => vi.restoreAllMocks());

function deploy(): FakeDeployment {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const verifyRequest = bearerAuth([
    { token: tokenOf("ann"), subject: "ann" },
    { token: tokenOf("bob"), subject: "bob", scopes: ["read", "deliver"] },
  ]);
  return new FakeDeployment(workflows, { runIndex, verifyRequest }, undefined, { runIndex });
}

const auditOf = async (api: FakeDeployment, id: string): Promise<unknown> =>
  (await answerOf(await api.fetch(`/api/runs/${id}/audit`, ann))).body.entries;

test("SEC5 the audit of a resumed run has the authenticated caller and the user that it named", async () => {
  const api = deploy();
  await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "p" }, ...ann });
  const json = { runId: "r", triggeredByUserId: "eve" };
  expect((await answerOf(await api.fetch("/api/runs/p/resume", { json, ...ann }))).body.triggeredBy).toBe("eve");
  expect(await auditOf(api, "r")).toMatchObject([{ action: "trigger", by: "ann", onBehalfOf: "eve" }]);
  expect(await auditOf(api, "p")).toEqual([
    { at: expect.any(Number), action: "trigger", by: "ann" },
    { at: expect.any(Number), action: "noteResumed", by: "ann", detail: "r" },
  ]);
});

test("SEC5 a rebuild of the index is in the audit of each run and in the log", async () => {
  const api = deploy();
  await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "r" }, ...ann });
  await api.fetch("/api/index/rebuild", { json: { runIds: ["r", "absent"] }, ...ann });
  expect(await auditOf(api, "r")).toMatchObject([{ action: "trigger" }, { action: "reindex", by: "ann" }]);
  expect(logged).toEqual([{ message: "index rebuilt", by: "ann", told: 1, unknown: 1 }]);
});

test("SEC5 LIM2 a refused action is in the log with its caller, and writes no row", async () => {
  const api = deploy();
  await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "r" }, ...ann });
  // The index acknowledges the end.
  await expect.poll(() => JSON.stringify(api.storageOf("r").rows.get("record"))).toContain('"acked":"failed"');
  const before = JSON.stringify([...api.storageOf("r").rows]);
  await api.fetch("/api/runs/r/cancel", { json: { reason: "no" }, ...bob });
  await api.fetch("/api/runs/r", { method: "DELETE", ...bob });
  await api.fetch("/api/runs/r/cancel", { json: {}, ...ann });
  await api.fetch("/api/runs/r/tokens/guess", { json: {}, ...bob });
  await api.fetch("/api/runs/bulk", { json: { action: "cancel", ids: ["r"] }, ...ann });
  await api.fetch("/api/runs/r/journal", ann);
  await api.fetch("/api/runs/absent", ann);
  await api.fetch("/api/runs", { json: { wrong: 1 }, ...ann });
  expect(logged).toEqual([
    { message: "request refused", route: "cancelRun", runId: "r", code: "forbidden", by: "bob" },
    { message: "request refused", route: "deleteRun", runId: "r", code: "forbidden", by: "bob" },
    { message: "request refused", route: "cancelRun", runId: "r", code: "run_terminal", by: "ann" },
    { message: "request refused", route: "resolveToken", runId: "r", code: "token_not_found", by: "bob" },
    {
      message: "request refused",
      route: "actOnManyRuns",
      action: "cancel",
      runId: "r",
      code: "run_terminal",
      by: "ann",
    },
  ]);
  expect(JSON.stringify([...api.storageOf("r").rows])).toBe(before);
});

test("SEC5 LIM2 the log of a refusal has the run id as other lines have it, and no longer than an id", async () => {
  const api = deploy();
  for (const segment of ["a%2Fb", "%zz", "x".repeat(9_000)])
    await api.fetch(`/api/runs/${segment}/cancel`, { json: {}, ...bob });
  expect(logged).toMatchObject([{ runId: "a/b" }, { runId: "%zz" }, { runId: "x".repeat(256) }]);
});

const RESERVED = ["api", "engine", "holdfast", "nobody", "parent", "public token", "retention", "holdfast:x"];
const LOOKALIKES = ["API", " Engine", "public\u00a0token", "ｈｏｌｄｆａｓｔ", "no\u200bbody ", "Holdfast:"];

describe("names of the engine", () => {
  const statusWith = async (verifyRequest: VerifyRequest, headers = {}): Promise<number> =>
    (await new FakeDeployment(workflows, { verifyRequest }).fetch("/api/workflows", { headers })).status;

  test.each([...RESERVED, ...LOOKALIKES])("SEC5 %j is no subject of a caller", async (subject) => {
    expectOutput("a principal with a name of the engine", /verifyRequest gave an invalid principal/);
    expect(await statusWith(() => ({ subject, scopes: ["read"] }))).toBe(401);
    expect(() => bearerAuth([{ token: tokenOf("t"), subject }])).toThrow("subject");
    expect(() => hmacAuth([{ id: subject, secret: tokenOf("t") }])).toThrow("id");
    const api = deploy();
    await api.fetch("/api/runs", { json: { workflowId: "fails", runId: "p" }, ...ann });
    const json = { triggeredByUserId: subject };
    expect((await api.fetch("/api/runs/p/resume", { json, ...ann })).status).toBe(400);
    const { publicKey, privateKey } = await generateKeyPair("ES256");
    const jwks = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] });
    const jwt = new SignJWT({ scope: "holdfast:read" }).setProtectedHeader({ alg: "ES256", kid: "k" });
    const token = await jwt
      .setSubject(subject)
      .setIssuer("i")
      .setAudience("a")
      .setExpirationTime("5m")
      .sign(privateKey);
    const verify = jwtAuth({ jwks, issuer: "i", audience: "a" });
    expect(await statusWith(verify, { Authorization: `Bearer ${token}` })).toBe(401);
  });

  test.each(["apis", "engineer", "ann:holdfast", "public-token"])("SEC5 %j is a subject", async (subject) => {
    expect(await statusWith(() => ({ subject, scopes: ["read"] }))).toBe(200);
  });
});
