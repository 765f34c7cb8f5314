/** Public tokens: the holder of a URL may answer once, and a guess costs nothing. */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type RateLimitLike, type WorkerDeps, durableObjectIndex } from "../src/index.ts";
import { KeyRing } from "../src/auth/key-ring.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const answers = workflow({
  id: "answers",
  run: async (_input, ctx) => {
    const token = ctx.waitForToken({ public: true, timeout: "1h" });
    void ctx.waitForToken({ tokenId: "own" });
    ctx.metadata.set("url", token.url);
    const signal = ctx.waitForSignal("go");
    return [await token.wait(), await signal];
  },
});

const UNKNOWN = {
  status: 404,
  body: {
    error: "token_not_found",
    message: "No public token has this URL.",
    docUrl: expect.stringMatching(/#token_not_found$/),
  },
};
const ACME = { subject: "ann", tenantId: "acme", scopes: ["read", "trigger", "deliver", "operate"] } as const;

afterEach(() => vi.restoreAllMocks());

function deploy(deps: Partial<WorkerDeps> = {}, objectDeps: ConstructorParameters<typeof FakeDeployment>[3] = {}) {
  return new FakeDeployment([answers], { verifyRequest: () => ACME, ...deps }, undefined, objectDeps);
}

async function recordOf(api: FakeDeployment, runId: string, status: string): Promise<Record<string, unknown>> {
  return vi.waitFor(async () => {
    const { body } = await answerOf(await api.fetch(`/api/runs/${runId}`));
    if (body["status"] !== status) throw new Error(`it is ${JSON.stringify(body)}`);
    return body;
  });
}

/** Triggers a run, and returns the path of its public token. */
async function issue(api: FakeDeployment, runId = "r/1"): Promise<string> {
  await api.fetch("/api/runs", { json: { runId, workflowId: "answers" } });
  const { metadata } = await recordOf(api, encodeURIComponent(runId), "waiting");
  const { url } = metadata as { url: string };
  expect(url).toMatch(
    /^(https:\/\/[\w.]+)?\/public\/tokens\/(-|t-acme)\/[\w%]+\/[0-9a-f]{16}\/[0-9a-f]{32}\/[0-9a-f]{32}$/,
  );
  return url.replace(/^https:\/\/[^/]+/, "");
}

function post(api: FakeDeployment, path: string, json: unknown = { payload: "yes" }): Promise<Response> {
  return api.fetch(path, { json, headers: { Origin: "https://mail.example" } });
}

/** The stored rows and alarms of all objects, and the number of objects. */
function stored(api: FakeDeployment): unknown {
  return [...api.storages].map(([name, { rows, alarmAt, writes, alarmsSet }]) => [
    name,
    rows,
    alarmAt,
    writes,
    alarmsSet,
  ]);
}

describe("the holder of a URL", () => {
  test("WAIT7 a page of another site can answer a public token once without credentials, and gets no data of the run", async () => {
    const api = deploy();
    const path = await issue(api);
    const preflight = await api.fetch(path, { method: "OPTIONS", headers: { Origin: "https://mail.example" } });
    expect([preflight.status, preflight.headers.get("Access-Control-Allow-Origin")]).toEqual([204, "*"]);
    const answer = await post(api, path);
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(await answerOf(answer)).toEqual({ status: 202, body: { delivery: "resolved" } });
    const again = await post(api, path);
    expect(again.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(await answerOf(again)).toMatchObject({ status: 409, body: { error: "already_resolved" } });
    await api.fetch("/api/runs/r%2F1/signals", { json: { name: "go", payload: 1 } });
    expect(await recordOf(api, "r%2F1", "completed")).toMatchObject({ output: ["yes", 1] });
    const audit = (await answerOf(await api.fetch("/api/runs/r%2F1/audit"))).body;
    expect(audit["entries"]).toContainEqual(expect.objectContaining({ action: "resolveToken", by: "public token" }));
  });

  test("WAIT7 a public token cannot be answered after its wait timed out", async () => {
    const api = deploy();
    const path = await issue(api);
    const storage = [...api.storages].find(([name]) => name.includes("acme"));
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 3_600_001);
    await api.alarm(storage?.[0] ?? "");
    expect(await answerOf(await post(api, path))).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining("timed out") },
    });
  });

  test("SEC8 RUN9 a URL of a run that was deleted is not valid for a later run with the same id", async () => {
    const api = deploy();
    const path = await issue(api);
    await api.fetch("/api/runs/r%2F1/cancel", { json: {} });
    await recordOf(api, "r%2F1", "cancelled");
    expect((await api.fetch("/api/runs/r%2F1", { method: "DELETE" })).status).toBe(204);
    expect(await answerOf(await post(api, path))).toEqual(UNKNOWN);
    const later = await issue(api);
    const [segments, old] = [later.split("/"), path.split("/")];
    expect(segments[5]).not.toBe(old[5]);
    const mixed = [...old.slice(0, 7), segments[7]].join("/");
    expect(await answerOf(await post(api, mixed))).toEqual(UNKNOWN);
  });

  test("SEC8 an answer has at most 64 KiB, and a deployment may set less or more", async () => {
    const large = { payload: "x".repeat(65_536) };
    const api = deploy();
    expect((await post(api, await issue(api), large)).status).toBe(413);
    const generous = deploy({ limits: { ...DEFAULT_LIMITS, publicTokenBytes: 100_000 } });
    expect((await post(generous, await issue(generous), large)).status).toBe(202);
    const small = deploy({ requestBytesMax: 1_000 });
    expect((await post(small, await issue(small), { payload: "x".repeat(2_000) })).status).toBe(413);
  });
});

describe("a guess", () => {
  test("SEC8 any change of a URL is answered before an object is asked or the body is read", async () => {
    const api = deploy();
    const path = await issue(api);
    const [, , , tenant = "", run = "", incarnation = "", mac = "", token = ""] = path.split("/");
    const before = stored(api);
    const guesses = [
      [tenant, run, incarnation, randomHex(16), token],
      [tenant, run, incarnation, mac.slice(0, -1), token],
      [tenant, run, incarnation, `${mac}0`, token],
      [tenant, run, incarnation, mac.toUpperCase().replace(/^[0-9]*/, "A"), token],
      [tenant, run, randomHex(8), mac, token],
      [tenant, "other", incarnation, mac, token],
      ["t-globex", run, incarnation, mac, token],
      ["-", run, incarnation, mac, token],
      [tenant, run, mac, incarnation, token],
      [tenant, run, token],
      ["x"],
      [tenant, run, incarnation, mac, token, "more"],
      [tenant, run, incarnation, mac, `${token}%00`],
      [tenant, run, incarnation, `${mac}%zz`, token],
      [tenant, "%c3%28", incarnation, mac, token],
      [tenant, `${run}%2F..`, incarnation, mac, token],
      [`${tenant}%2F${run}`, incarnation, mac, token],
      [tenant, run, incarnation, mac, "x".repeat(257)],
    ];
    for (const guess of guesses) {
      const body = new ReadableStream(
        { pull: () => Promise.reject(new Error("the body was read")) },
        { highWaterMark: 0 },
      );
      const url = `https://flows.example/public/tokens/${guess.join("/")}`;
      const init = { method: "POST", body, headers: { "Content-Type": "application/json" }, duplex: "half" };
      expect(await answerOf(await api.handle(new Request(url, init)))).toEqual(UNKNOWN);
    }
    expect(stored(api)).toEqual(before);
  });

  test("SEC8 with the right start, a wrong token id is answered by the run, and changes nothing", async () => {
    const api = deploy();
    const path = await issue(api);
    const before = stored(api);
    const start = path.slice(0, path.lastIndexOf("/") + 1);
    for (const token of ["own", randomHex(16)]) expect(await answerOf(await post(api, start + token))).toEqual(UNKNOWN);
    expect((await post(api, path, { wrong: 1 })).status).toBe(400);
    const headers = { "Content-Type": "text/plain" };
    expect((await api.fetch(path, { method: "POST", body: "a=1", headers })).status).toBe(415);
    expect(stored(api)).toEqual(before);
  });

  test("SEC8 a rate-limiting binding is asked first, by address, and its failure refuses nobody", async () => {
    const keys: string[] = [];
    let answer: () => Promise<{ success: boolean }> = async () => ({ success: false });
    const publicRateLimit: RateLimitLike = { limit: ({ key }) => (keys.push(key), answer()) };
    const api = deploy({ publicRateLimit });
    const path = await issue(api);
    const send = (): Promise<Response> =>
      api.fetch(path, { json: { payload: 1 }, headers: { "CF-Connecting-IP": "192.0.2.1" } });
    expect(await answerOf(await send())).toMatchObject({ status: 429, body: { error: "too_many_requests" } });
    vi.spyOn(console, "error").mockImplementation(() => {});
    answer = () => Promise.reject(new Error("the binding failed"));
    expect((await send()).status).toBe(202);
    expect(keys).toEqual(["public/192.0.2.1", "public/192.0.2.1"]);
  });
});

describe("keys", () => {
  test("SEC8 a URL is valid as long as its key is in the list, and a new URL is signed with the first key", async () => {
    const [old, recent] = ["an-old-key-of-urls", "a-recent-key-of-urls"];
    const first = deploy({ urlKeys: [old] });
    const path = await issue(first);
    const segments = path.split("/");
    const parts = ["t-acme", "r/1", segments[5] ?? ""];
    expect(segments[6]).toBe(await new KeyRing([old]).sign("public token", parts));
    for (const [keys, valid] of [
      [[recent, old], true],
      [[old, recent], true],
      [[recent], false],
    ] as const)
      expect(await new KeyRing(keys).verify("public token", parts, segments[6] ?? "")).toBe(valid);
    const both = deploy({ urlKeys: [recent, old] });
    const newer = (await issue(both)).split("/");
    const its = ["t-acme", "r/1", newer[5] ?? ""];
    expect(newer[6]).toBe(await new KeyRing([recent]).sign("public token", its));
  });

  test("SEC8 without keys the index makes one, which every Worker and object uses, and reading makes none", async () => {
    const index = new FakeIndexNamespace();
    const deps = (): Partial<WorkerDeps> => ({ urlKeys: undefined, runIndex: durableObjectIndex({ binding: index }) });
    const guesser = deploy(deps());
    expect((await post(guesser, "/public/tokens/-/r/0/0/0")).status).toBe(404);
    const secrets = (): unknown[] =>
      [...index.shards.values()].flatMap((sql) => {
        const [table] = sql.exec("SELECT name FROM sqlite_master WHERE name = 'secrets'");
        return table === undefined ? [] : [...sql.exec("SELECT value FROM secrets")];
      });
    expect(secrets()).toEqual([]);
    const api = deploy(deps(), deps());
    const path = await issue(api);
    expect(secrets()).toEqual([{ value: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect((await post(api, path)).status).toBe(202);
  });

  test("SEC8 with neither keys nor an index, a public token is refused, and the run says what is missing", async () => {
    const api = deploy({ urlKeys: undefined });
    await api.fetch("/api/runs", { json: { runId: "r", workflowId: "answers" } });
    const { error } = await recordOf(api, "r", "failed");
    expect(error).toMatchObject({ code: "PUBLIC_TOKENS_NOT_CONFIGURED", message: expect.stringContaining("URL_KEYS") });
    expect((await post(api, `/public/tokens/t-acme/r/${"0".repeat(16)}/${"0".repeat(32)}/x`)).status).toBe(404);
  });

  test("SEC8 an index that fails refuses no run: it has no public tokens, and the log says so", async () => {
    const index = new FakeIndexNamespace();
    index.breaks = async () => new Response(null, { status: 500 });
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const runIndex = durableObjectIndex({ binding: index });
    const api = deploy({ urlKeys: undefined, runIndex }, { runIndex });
    expect((await api.fetch("/api/runs", { json: { runId: "r", workflowId: "answers" } })).status).toBe(201);
    expect(await recordOf(api, "r", "failed")).toMatchObject({ error: { code: "PUBLIC_TOKENS_NOT_CONFIGURED" } });
    expect(String(warn.mock.calls)).toContain("URL_KEYS");
  });
});
