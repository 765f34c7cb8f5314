/** Requests about runs that do not exist. */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { workflow } from "@holdfast/workflows";
import { afterEach, expect, test, vi } from "vitest";
import { type Principal, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const waits = workflow({ id: "waits", run: (_input, ctx) => ctx.waitForSignal("go") });
const SCOPES = ["read", "trigger", "deliver", "operate", "admin"] as const;

afterEach(() => vi.useRealTimers());

/** A deployment that takes the principal from the header `As`, for example `acme/ann`. */
function deploy(notFoundPerHour: number = DEFAULT_LIMITS.notFoundPerHour): FakeDeployment {
  const verifyRequest = (request: Request): Principal => {
    const [tenantId = "", subject = ""] = (request.headers.get("As") ?? "acme/ann").split("/");
    return { tenantId, subject, scopes: SCOPES };
  };
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  return new FakeDeployment([waits], { verifyRequest, runIndex, limits: { ...DEFAULT_LIMITS, notFoundPerHour } });
}

const REQUESTS: readonly (readonly [path: string, json?: unknown, method?: string])[] = [
  ["/api/runs/absent"],
  ["/api/runs/absent", undefined, "HEAD"],
  ["/api/runs/absent", undefined, "DELETE"],
  ["/api/runs/absent/journal"],
  ["/api/runs/absent/audit"],
  ["/api/runs/absent/stream"],
  ["/api/runs/absent/signals", { name: "go" }],
  ["/api/runs/absent/events", { eventType: "go" }],
  ["/api/runs/absent/tokens/t", {}],
  ["/api/runs/absent/cancel", {}],
  ["/api/runs/absent/terminate", { reason: "x" }],
  ["/api/runs/absent/pause", {}],
  ["/api/runs/absent/unpause", {}],
  ["/api/runs/absent/retry", {}],
  ["/api/runs/absent/resume", {}],
  ["/api/runs/bulk", { action: "cancel", ids: ["absent"] }],
  ["/api/index/rebuild", { runIds: ["absent"] }],
  ["/api/runs", { workflowId: "unknown", runId: "absent" }],
];

test("SEC8 VER3 no request about an absent run writes a row or sets an alarm", async () => {
  const api = deploy();
  for (const [path, json, method] of REQUESTS) {
    const answer = await api.fetch(path, { ...(json === undefined ? {} : { json }), ...(method && { method }) });
    expect([path, [202, 404].includes(answer.status)]).toEqual([path, true]);
    await answer.body?.cancel();
  }
  const [absent] = api.storages.values();
  expect([api.storages.size, absent?.writes, absent?.alarmsSet, absent?.rows.size]).toEqual([1, 0, 0, 0]);
});

test("SEC8 after 1,000 requests about absent runs in an hour, the next ones of this principal build no object", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const api = deploy();
  const status = async (as: string, id: string): Promise<number> =>
    (await api.fetch(`/api/runs/${id}`, { headers: { As: as } })).status;
  for (let n = 0; n < 1_000; n++) expect(await status("acme/ann", `absent-${n}`)).toBe(404);
  const objects = api.storages.size;
  const answer = await api.fetch("/api/runs/one-more", { headers: { As: "acme/ann" } });
  expect([answer.status, answer.headers.get("Retry-After")]).toEqual([429, "3600"]);
  expect((await answerOf(answer)).body).toMatchObject({
    error: "too_many_requests",
    message: expect.stringContaining("1000"),
  });
  expect(api.storages.size).toBe(objects);
  expect([await status("acme/bob", "x"), await status("globex/ann", "x")]).toEqual([404, 404]);
  // Triggers are counted by themselves.
  const json = { workflowId: "waits", runId: "mine" };
  expect((await api.fetch("/api/runs", { json })).status).toBe(201);
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(await status("acme/ann", "mine")).toBe(200);
});

test.each(
  REQUESTS.filter(([path]) => path.includes("absent") || path === "/api/runs").map(([path, json, method]) => ({
    path,
    json,
    method,
  })),
)("SEC8 $path of an absent run counts ($method)", async ({ path, json, method }) => {
  const api = deploy(2);
  const statuses: number[] = [];
  for (let n = 0; n < 3; n++) {
    const answer = await api.fetch(path, { ...(json === undefined ? {} : { json }), ...(method && { method }) });
    statuses.push(answer.status);
    await answer.body?.cancel();
  }
  expect([statuses.at(0) === 429, statuses.at(-1)]).toEqual([false, 429]);
});

test("SEC8 IDX5 a bulk action reports the runs that were refused because too many others do not exist", async () => {
  const api = deploy(2);
  await api.fetch("/api/runs", { json: { workflowId: "waits", runId: "r" } });
  const bulk = (ids: readonly string[]): Promise<Response> =>
    api.fetch("/api/runs/bulk", { json: { action: "cancel", ids } });
  expect((await answerOf(await bulk(["r", "x", "y"]))).body).toMatchObject({ done: 1 });
  const refused = ["r", "z"].map((id) => ({ id, error: "too_many_requests" }));
  expect((await answerOf(await bulk(["r", "z"]))).body).toMatchObject({ done: 0, refused });
  expect(api.storages.size).toBe(3);
});

test("SEC8 requests about runs that exist are not counted, whatever they are answered", async () => {
  const api = deploy(2);
  await api.fetch("/api/runs", { json: { workflowId: "waits", runId: "r" } });
  for (let n = 0; n < 5; n++) expect((await api.fetch("/api/runs/r/tokens/none", { json: {} })).status).toBe(404);
  expect((await api.fetch("/api/runs/r")).status).toBe(200);
});

test("LIM2 a body that does not arrive in time is answered 408", async () => {
  const api = new FakeDeployment([waits], { limits: { ...DEFAULT_LIMITS, bodyMs: 20 } });
  const body = new ReadableStream<Uint8Array>({ start: (stream) => stream.enqueue(new TextEncoder().encode("{")) });
  const headers = { "Content-Type": "application/json" };
  const request = new Request("https://flows.example/api/runs", {
    method: "POST",
    body,
    headers,
    duplex: "half",
  } as RequestInit);
  expect(await answerOf(await api.handle(request))).toMatchObject({ status: 408, body: { error: "body_timeout" } });
});
