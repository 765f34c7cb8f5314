/** tests: tickets, with which a browser follows one run */
import { HOST_LIMITS } from "@holdfast/protocol";
import { randomHex } from "@holdfast/protocol/transport";
import { workflow } from "@holdfast/workflows";
import { createClient } from "@holdfast/workflows/client";
import { afterEach, describe, expect, test, vi } from "vitest";
import { fromBase64Url, toBase64Url } from "../src/auth/base64-url.ts";
import { KeyRing } from "../src/auth/key-ring.ts";
import type { Scope } from "../src/auth/principal.ts";
import { UsedTickets } from "../src/run-object/used-tickets.ts";
import { type VerifyRequest, type WorkerDeps, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const asks = workflow({
  id: "asks",
  run: async (_input, ctx) => {
    const token = ctx.waitForToken({ public: true });
    ctx.metadata.set("url", token.url);
    return token.wait();
  },
});

const KEYS = ["the-key-of-this-test"];
const STREAM = "/api/runs/r%2F1/stream";

const verifyRequest: VerifyRequest = ({ headers }) => {
  if (!headers.has("Tenant")) return false;
  const scopes = (headers.get("Scopes") ?? "read,trigger").split(",") as Scope[];
  return { subject: "ann", tenantId: headers.get("Tenant") ?? "", scopes };
};

async function deploy(deps: Partial<WorkerDeps> = {}): Promise<FakeDeployment> {
  const api = new FakeDeployment([asks], { verifyRequest, urlKeys: KEYS, ...deps });
  for (const Tenant of ["acme", "globex"]) {
    const json = { runId: "r/1", workflowId: "asks" };
    await api.fetch("/api/runs", { json, headers: { Tenant, Prefer: "wait=5" } });
  }
  return api;
}

async function issue(api: FakeDeployment, path = STREAM, scopes = "read", Tenant = "acme"): Promise<string> {
  const answer = await api.fetch("/api/tickets", { json: { path }, headers: { Tenant, Scopes: scopes } });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { ticket: string }).ticket;
}

/** The text of the first events, or of the refusal. Closes the stream. */
async function follow(
  api: FakeDeployment,
  ticket: string,
  { path = STREAM, method = "GET" } = {},
): Promise<{ status: number; text: string }> {
  const answer = await api.fetch(`${path}?ticket=${encodeURIComponent(ticket)}`, { method });
  if (!answer.ok || answer.body === null) return { status: answer.status, text: await answer.text() };
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += new TextDecoder().decode(part.value);
    if (text.includes("event: waitpoint")) break;
  }
  await reader.cancel();
  return { status: answer.status, text };
}

const REFUSED = {
  status: 401,
  text: expect.stringMatching(/^\{"error":"unauthorized","message":"The ticket is not valid/),
};

/** Signs a ticket with other content, as only the deployment can. */
async function resigned(ticket: string, change: object, purpose = "ticket", keys = KEYS): Promise<string> {
  const content = toBase64Url(JSON.stringify({ ...contentOf(ticket), ...change }));
  return `${content}.${await new KeyRing(keys).sign(purpose as "ticket", [content])}`;
}

function contentOf(ticket: string): Record<string, unknown> {
  return JSON.parse(fromBase64Url(ticket.split(".")[0] ?? "") ?? "") as Record<string, unknown>;
}

function stored(api: FakeDeployment): unknown {
  return [...api.storages].map(([name, { rows, alarmAt, writes }]) => [name, [...rows], alarmAt, writes]);
}

afterEach(() => void vi.restoreAllMocks());

describe("a ticket", () => {
  test("SEC11 it opens the stream of its run once, without credentials, and writes nothing", async () => {
    const api = await deploy();
    const before = stored(api);
    const ticket = await issue(api);
    const events = await follow(api, ticket);
    expect(events).toEqual({ status: 200, text: expect.stringContaining('"id":"r/1"') });
    expect(await follow(api, ticket)).toEqual(REFUSED);
    expect(await follow(api, await issue(api))).toMatchObject({ status: 200 });
    expect(stored(api)).toEqual(before);
  });

  test("SEC11 the answer has its expiry, and it is refused from then on, by the Worker and by the object", async () => {
    const api = await deploy();
    const now = Date.now();
    vi.spyOn(Date, "now").mockImplementation(() => now);
    const made = await api.fetch("/api/tickets", { json: { path: STREAM }, headers: { Tenant: "acme" } });
    expect(await answerOf(made)).toEqual({
      status: 201,
      body: { ticket: expect.stringMatching(/^[\w-]+\.[0-9a-f]{32}$/), expiresAt: now + 60_000 },
    });
    const [early, late] = [await issue(api), await issue(api)];
    vi.mocked(Date.now).mockImplementation(() => now + 59_999);
    expect(await follow(api, early)).toMatchObject({ status: 200 });
    vi.mocked(Date.now).mockImplementation(() => now + 60_000);
    expect(await follow(api, late)).toEqual(REFUSED);
    const used = new UsedTickets(() => now + 60_000);
    const use = used.use({ nonce: "n", expiresAt: now + 60_000 }, () => 1);
    await expect(use).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("SEC11 SEC7 it shows what its caller may see: no ids of tokens without deliver", async () => {
    const api = await deploy();
    const record = await api.fetch("/api/runs/r%2F1", { headers: { Tenant: "acme", Scopes: "read,deliver" } });
    const { metadata } = (await record.json()) as { metadata: { url: string } };
    const id = metadata.url.split("/").at(-1) ?? "";
    expect((await follow(api, await issue(api, STREAM, "read"))).text).not.toContain(id);
    expect((await follow(api, await issue(api, STREAM, "read,deliver"))).text).toContain(id);
    const refused = await api.fetch("/api/tickets", {
      json: { path: STREAM },
      headers: { Tenant: "acme", Scopes: "trigger,deliver,operate,admin" },
    });
    expect(await answerOf(refused)).toMatchObject({ status: 403, body: { error: "forbidden" } });
  });

  test("SEC11 SEC2 it reaches the run of its tenant, and no other tenant's run with the same id", async () => {
    const api = await deploy();
    const own = await follow(api, await issue(api, STREAM, "read", "globex"));
    expect(own.text).toContain('"tenantId":"globex"');
    expect(own.text).not.toContain("acme");
    expect(await follow(api, await issue(api, STREAM, "read", "third"))).toMatchObject({ status: 404 });
  });

  test("SEC11 HEAD uses it up too, and a refused reader does not", async () => {
    const api = await deploy();
    const ticket = await issue(api);
    expect(await follow(api, ticket, { method: "HEAD" })).toMatchObject({ status: 200 });
    expect(await follow(api, ticket)).toEqual(REFUSED);
    const absent = await issue(api, "/api/runs/absent/stream");
    for (let i = 0; i < 2; i++)
      expect(await follow(api, absent, { path: "/api/runs/absent/stream" })).toMatchObject({ status: 404 });
  });

  test("SEC11 two requests with one ticket at the same moment: one gets the stream", async () => {
    const api = await deploy();
    const ticket = await issue(api);
    const answers = await Promise.all(Array.from({ length: 5 }, () => follow(api, ticket)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401, 401]);
  });
});

describe("a ticket that is not valid", () => {
  test("SEC11 forged, changed and odd tickets are 401 before any object is asked, and are quoted nowhere", async () => {
    const api = await deploy();
    const output = ["log", "warn", "error"].map((name) => vi.spyOn(console, name as "log").mockReturnValue());
    const [ticket, other] = [await issue(api), await issue(api)];
    const [content = "", code = ""] = ticket.split(".");
    const principal = { subject: "ann", tenantId: "globex", scopes: ["read", "deliver", "operate"] };
    const changed = toBase64Url(JSON.stringify({ ...contentOf(ticket), principal }));
    const fake = ["", ".", code, content, `${content}.`, `${content}.${randomHex(16)}`, `${changed}.${code}`];
    const mixed = [`${content}.${other.split(".")[1]}`, `${content}.${code}0`, `${content}.${code.toUpperCase()}x`];
    const odd = [`${content}=.${code}`, `${content}==.${code}`, ` ${ticket}`, `${ticket}\n`, `${content}A.${code}`];
    const odder = [`${content}%00.${code}`, `é.${code}`, `+/${content}.${code}`, `${content}.${code}.${code}`];
    const huge = [
      "x".repeat(20_000),
      `${"A".repeat(HOST_LIMITS.ticketChars)}.${code}`,
      `${content.repeat(40)}.${code}`,
    ];
    const signed = [
      await resigned(ticket, {}, "public token"),
      await resigned(ticket, {}, "ticket", ["another-key-of-public-urls"]),
    ];
    vi.spyOn(api.runDO, "get").mockImplementation(() => {
      throw new Error("an object was asked");
    });
    for (const text of [...fake, ...mixed, ...odd, ...odder, ...huge, ...signed]) {
      const answer = await follow(api, text);
      expect([text.slice(0, 300), answer]).toEqual([text.slice(0, 300), REFUSED]);
      if (text.length > 40) expect(answer.text).not.toContain(text.slice(0, 40));
    }
    const twice = await api.fetch(`${STREAM}?ticket=${ticket}&ticket=${ticket}`);
    expect(twice.status).toBe(401);
    expect(output.flatMap((spy) => spy.mock.calls)).toEqual([]);
  });

  test("SEC11 it is valid for exactly its path, and no other route or method", async () => {
    const api = await deploy();
    const ticket = await issue(api);
    for (const path of ["/api/runs/r/stream", "/api/runs/r%2f1/stream", "/api/runs/r%2F1x/stream"])
      expect([path, await follow(api, ticket, { path })]).toEqual([path, REFUSED]);
    const routes = ["/api/runs", "/api/runs/r%2F1", "/api/runs/r%2F1/journal", "/api/workflows", `${STREAM}/`];
    for (const path of routes) {
      const answer = await api.fetch(`${path}?ticket=${ticket}`);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(await answer.text()).not.toContain(ticket);
    }
    const posts = ["/api/runs/r%2F1/cancel", "/api/runs", STREAM, "/api/tickets"];
    for (const path of posts) expect((await api.fetch(`${path}?ticket=${ticket}`, { json: {} })).status).toBe(401);
    const headers = { Authorization: `Bearer ${ticket}` };
    expect((await api.fetch(STREAM, { headers })).status).toBe(401);
    expect(await follow(api, ticket)).toMatchObject({ status: 200 });
  });

  test("SEC11 an older key is accepted, and a key that is gone is not", async () => {
    const api = await deploy();
    const ticket = await issue(api);
    const old = await resigned(ticket, {}, "ticket", ["an-old-key-of-urls"]);
    expect(await follow(api, old)).toEqual(REFUSED);
    const both = await deploy({ urlKeys: ["a-recent-key-of-urls", "an-old-key-of-urls"] });
    expect(await follow(both, old)).toMatchObject({ status: 200 });
    expect(await follow(both, ticket)).toEqual(REFUSED);
  });

  test("SEC11 SEC1 a deployment without authentication accepts and makes none", async () => {
    const ticket = await issue(await deploy());
    const api = await deploy({ verifyRequest: undefined });
    expect(await follow(api, ticket)).toMatchObject({ status: 503 });
    expect((await api.fetch("/api/tickets", { json: { path: STREAM } })).status).toBe(503);
  });
});

describe("POST /api/tickets", () => {
  const WRONG = [
    "",
    "/",
    "stream",
    "/api/runs",
    "/api/runs/r",
    "/api/runs/r/journal",
    "/api/runs//stream",
    "/api/runs/r/stream/",
    "/api/runs/a/b/stream",
    "/api/runs/../stream",
    "/api/runs/%2e%2e/stream",
    "/api/runs/%2E/stream",
    `${STREAM}?x=1`,
    `${STREAM}#x`,
    `https://flows.example${STREAM}`,
    `/${STREAM}`,
    "/api/runs/é/stream",
    "/api/runs/%zz/stream",
    "/api/runs/%00/stream",
    `/api/runs/${"x".repeat(257)}/stream`,
    `/api/runs/${"%20".repeat(5_000)}/stream`,
    "/api/runs/a\\b/stream",
    " /api/runs/r/stream",
    "/api/runs/r/stream\n",
    "/API/runs/r/stream",
    1,
    null,
    {},
    [],
  ];

  test.each(WRONG)("LIM2 SEC11 the path %.40j is 400 with the field's name", async (path) => {
    const answer = await answerOf(
      await (await deploy()).fetch("/api/tickets", { json: { path }, headers: { Tenant: "acme" } }),
    );
    expect(answer).toMatchObject({ status: 400, body: { error: "invalid_body" } });
    expect(answer.body["message"]).toContain("path");
  });

  test("SEC11 the longest id and the longest names fit into a ticket", async () => {
    const id = encodeURIComponent("é".repeat(128));
    const name = '"'.repeat(256);
    const principal = {
      subject: name,
      tenantId: name,
      scopes: ["read", "trigger", "deliver", "operate", "admin"] as const,
    };
    const api = new FakeDeployment([asks], { verifyRequest: () => principal });
    await api.fetch("/api/runs", { json: { runId: decodeURIComponent(id), workflowId: "asks" } });
    const path = `/api/runs/${id}/stream`;
    expect(await follow(api, await issue(api, path), { path })).toMatchObject({ status: 200 });
  });

  test("SEC11 without keys the index makes one at the first ticket, and with neither the answer says what is missing", async () => {
    const none = await deploy({ urlKeys: undefined });
    const refused = await answerOf(
      await none.fetch("/api/tickets", { json: { path: STREAM }, headers: { Tenant: "acme" } }),
    );
    expect(refused).toMatchObject({ status: 501, body: { error: "tickets_not_configured" } });
    expect(refused.body["message"]).toContain("URL_KEYS");
    expect(await follow(none, `${toBase64Url("{}")}.${"0".repeat(32)}`)).toEqual(REFUSED);
    const indexed = await deploy({
      urlKeys: undefined,
      runIndex: durableObjectIndex({ binding: new FakeIndexNamespace() }),
    });
    expect(await follow(indexed, await issue(indexed))).toMatchObject({ status: 200 });
  });
});

describe("the memory of an object", () => {
  test("SEC11 it holds a bounded number of tickets, forgets them when they expire, and refuses further ones", async () => {
    let now = 0;
    const used = new UsedTickets(() => now);
    const use = (nonce: string): Promise<number> => used.use({ nonce, expiresAt: now + 60_000 }, () => 1);
    for (let i = 0; i < HOST_LIMITS.usedTickets; i++) await use(String(i));
    await expect(use("more")).rejects.toMatchObject({ code: "too_many_requests" });
    now = 60_000;
    expect(await use("more")).toBe(1);
    await expect(use("more")).rejects.toMatchObject({ code: "unauthorized" });
  });

  test("SEC11 a ticket of a clock that was ahead is refused when the clock is set back, and does not fill the memory", async () => {
    const api = await deploy();
    const now = Date.now();
    const ahead = now + 86_400_000;
    vi.spyOn(Date, "now").mockImplementation(() => ahead);
    const ticket = await issue(api);
    vi.mocked(Date.now).mockImplementation(() => now);
    expect(await follow(api, ticket)).toEqual(REFUSED);
    let clock = ahead;
    const used = new UsedTickets(() => clock);
    const use = (nonce: string): Promise<number> => used.use({ nonce, expiresAt: clock + 60_000 }, () => 1);
    for (let i = 0; i < HOST_LIMITS.usedTickets; i++) await use(String(i));
    clock = now;
    expect(await use("after")).toBe(1);
    await expect(used.use({ nonce: "0", expiresAt: ahead + 60_000 }, () => 1)).rejects.toMatchObject({
      code: "unauthorized",
    });
    // The clocks of two machines differ a little.
    expect(await used.use({ nonce: "early", expiresAt: clock + 90_000 }, () => 1)).toBe(1);
  });

  test("SEC11 it is of one instance: after an eviction a ticket works again, until it expires", async () => {
    const api = await deploy();
    const ticket = await issue(api);
    expect(await follow(api, ticket)).toMatchObject({ status: 200 });
    api.evict([...api.storages.keys()].find((name) => name.includes("acme")) ?? "");
    expect(await follow(api, ticket)).toMatchObject({ status: 200 });
    expect(await follow(api, ticket)).toEqual(REFUSED);
  });
});

test("API1 SEC11 the client makes a URL for a browser, with which the stream continues after an event", async () => {
  const api = await deploy();
  const client = createClient({
    url: "https://flows.example",
    headers: { Tenant: "acme" },
    fetch: (request) => api.handle(request),
  });
  const { url, ticket, expiresAt } = await client.run("r/1").ticket({ lastEventId: "1" });
  expect(url).toBe(`https://flows.example${STREAM}?lastEventId=1&ticket=${ticket}`);
  expect(expiresAt).toBeGreaterThan(Date.now());
  const answer = await api.handle(new Request(url));
  expect(answer.status).toBe(200);
  await answer.body?.cancel();
});
