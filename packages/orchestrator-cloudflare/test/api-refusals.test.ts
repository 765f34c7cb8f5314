/** tests: refusals of the HTTP API, and data that its answers must not contain */
import { DEFAULT_LIMITS, refusalDocUrl } from "@holdfast/protocol";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { bodies, workflows } from "./api-workflows.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

let api: FakeDeployment;
beforeEach(() => {
  bodies.length = 0;
  api = new FakeDeployment(workflows);
});

const wait = { headers: { Prefer: "wait=5" } };

test("LIM2 a refusal has the address of the page about its code", async () => {
  const answer = await api.fetch("/api/nothing");
  expect(await answer.json()).toMatchObject({ error: "route_not_found", docUrl: refusalDocUrl("route_not_found") });
});

describe("refusals", () => {
  const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    api.fetch("/api/runs", { method: "POST", body, headers: { "Content-Type": "application/json", ...headers } });

  test.each([
    ["broken JSON", "{", 400, "invalid_json", "JSON"],
    ["text that is not JSON", "hello", 400, "invalid_json", "not JSON"],
    ["an empty body", "", 400, "invalid_body", "workflowId"],
    ["an array", "[]", 400, "invalid_body", "workflowId: is missing"],
    ["a wrong type", '{"workflowId":5}', 400, "invalid_body", "workflowId"],
    ["an unknown field", '{"workflowId":"approve","inptu":1}', 400, "invalid_body", "inptu: unknown field"],
    [
      "an invalid duration",
      '{"workflowId":"approve","delay":"1.5h"}',
      400,
      "invalid_body",
      'delay: "1.5h" is not a duration',
    ],
    ["a negative time-out", '{"workflowId":"approve","timeout":-1}', 400, "invalid_body", "timeout"],
    ["an empty id", '{"workflowId":"approve","runId":""}', 400, "invalid_id", "runId"],
    ["a long id", `{"workflowId":"approve","runId":"${"x".repeat(257)}"}`, 400, "invalid_id", "256"],
    ["an id that URLs cannot contain", '{"workflowId":"approve","runId":".."}', 400, "invalid_id", '".."'],
    ["a control character in an id", '{"workflowId":"approve","runId":"a\\nb"}', 400, "invalid_id", "control"],
    ["too many tags", `{"workflowId":"approve","tags":[${'"t",'.repeat(64)}"t"]}`, 400, "invalid_body", "tags"],
    [
      "an input with __proto__",
      '{"workflowId":"approve","input":{"__proto__":{"x":1}}}',
      400,
      "invalid_body",
      "__proto__",
    ],
    [
      "an input nested too deeply",
      `{"workflowId":"approve","input":${"[".repeat(60_000)}${"]".repeat(60_000)}}`,
      400,
      "invalid_body",
      "nested",
    ],
    ["an unknown workflow", '{"workflowId":"aprove"}', 404, "workflow_not_found", '"approve"'],
    ["an unknown version", '{"workflowId":"approve","workflowVersion":"9"}', 201, "", ""],
  ])("LIM2 %s is rejected with a code and a message, and stores nothing", async (_what, body, status, code, named) => {
    const answer = await answerOf(await post(body));
    expect(answer.status).toBe(status);
    if (status === 201) return;
    expect(answer.body.error).toBe(code);
    expect(answer.body.message).toContain(named);
    expect(answer.body.message).not.toMatch(/\.\.$/);
    for (const storage of api.storages.values()) expect(storage.writes).toBe(0);
  });

  test("LIM2 a body over the limit is rejected for any Content-Length", async () => {
    const large = JSON.stringify({ workflowId: "approve", input: "x".repeat(5_000_000) });
    expect(await answerOf(await post(large))).toMatchObject({
      status: 413,
      body: { error: "body_too_large", message: expect.stringContaining(String(DEFAULT_LIMITS.requestBytes)) },
    });
    const parts = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
      },
    });
    const streamed = await api.fetch("/api/runs", {
      method: "POST",
      body: parts,
      duplex: "half",
      headers: { "Content-Type": "application/json" },
    } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  test("LIM2 a body that is not UTF-8 is rejected", async () => {
    const body = Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]);
    const answer = await api.fetch("/api/runs", {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(await answerOf(answer)).toMatchObject({ status: 400, body: { error: "invalid_json" } });
  });

  test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])(
    "SEC6 a body with the Content-Type %j is rejected with 415",
    async (type) => {
      const answer = await answerOf(await post('{"workflowId":"approve"}', { "Content-Type": type }));
      expect(answer).toMatchObject({ status: 415, body: { error: "unsupported_media_type" } });
    },
  );

  test("SEC6 a page of another site cannot change anything, and no answer has a CORS header", async () => {
    const foreign = { headers: { Origin: "https://evil.example" } };
    expect(await answerOf(await api.fetch("/api/runs/r1/cancel", { method: "POST", ...foreign }))).toMatchObject({
      status: 403,
      body: { error: "origin_not_allowed" },
    });
    const read = await api.fetch("/api/workflows", foreign);
    expect([...read.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await api.fetch("/api/runs", { method: "OPTIONS" })).status).toBe(405);
  });

  test("SEC6 a read changes no rows, also of a run whose execution was lost", async () => {
    await api.fetch("/api/runs", {
      json: { workflowId: "approve", runId: "r1", input: {} },
      headers: { Prefer: "wait=0" },
    });
    api.evict("r1");
    const before = structuredClone(api.storageOf("r1").rows);
    for (const path of ["/api/runs/r1", "/api/runs/r1/journal", "/api/workflows", "/healthz"]) {
      await api.fetch(path);
      await api.fetch(path, { method: "HEAD" });
    }
    expect(api.storageOf("r1").rows).toEqual(before);
    expect(api.storageOf("r1").writes).toBe(0);
  });

  test.each([
    ["GET", "/api/nothing", 404, "route_not_found"],
    ["GET", "/", 404, "route_not_found"],
    ["GET", "/api/runs/a/b", 404, "route_not_found"],
    ["GET", "/api/runs/", 404, "route_not_found"],
    ["GET", "/api//runs", 404, "route_not_found"],
    ["GET", "//api/runs", 404, "route_not_found"],
    ["GET", "/api%2Fruns", 404, "route_not_found"],
    ["GET", "/api/runs/%252F/x", 404, "route_not_found"],
    ["GET", "/%61pi/runs/%00", 400, "invalid_id"],
    ["GET", "/api/runs/%E0%A4%A", 400, "invalid_id"],
    ["GET", "/api/runs/%00", 400, "invalid_id"],
    ["GET", `/api/runs/${"x".repeat(257)}`, 400, "invalid_id"],
    ["GET", "/api/runs/r1/journal?limit=0", 400, "invalid_query"],
    ["GET", "/api/runs/r1/journal?limit=abc", 400, "invalid_query"],
    ["GET", "/api/runs/r1/journal?page=1", 400, "invalid_query"],
    ["POST", "/api/runs/r1/tokens/%00", 400, "invalid_id"],
  ])("LIM2 %s %s answers %d %s", async (method, path, status, code) => {
    expect(await answerOf(await api.fetch(path, { method }))).toMatchObject({ status, body: { error: code } });
  });

  test.each(["/%61pi/workflows", "/api/./workflows", "/public/../api/workflows", "/%6detrics", "/api/%FF"])(
    "SEC1 %s needs credentials, as the route that it names does",
    async (path) => {
      const closed = new FakeDeployment(workflows, {
        verifyRequest: () => Response.json({ error: "unauthorized", message: "no token" }, { status: 401 }),
      });
      expect((await closed.fetch(path)).status).toBe(401);
    },
  );

  test("API5 the answer to HEAD has no body, and releases the one of GET", async () => {
    let released = false;
    const cancel = (): void => {
      released = true;
    };
    const verifyRequest = (): Response => new Response(new ReadableStream({ cancel }), { status: 401 });
    const closed = new FakeDeployment(workflows, { verifyRequest });
    const answer = await closed.fetch("/api/workflows", { method: "HEAD" });
    expect([answer.status, answer.body, released]).toEqual([401, null, true]);
  });

  test("LIM2 another method answers 405 and lists the allowed methods", async () => {
    const get = await api.fetch("/api/runs/r1/signals");
    expect([get.status, get.headers.get("Allow")]).toEqual([405, "POST"]);
    const put = await api.fetch("/api/runs/r1", { method: "PUT" });
    expect([put.status, put.headers.get("Allow")]).toEqual([405, "GET, DELETE, HEAD"]);
  });

  test.each(["a/b", "100%", "ключ ☃", "__proto__", "a?b#c&d", "...", "-"])(
    "LIM2 an id can be %j if the path encodes it",
    async (runId) => {
      const created = await answerOf(
        await api.fetch("/api/runs", { json: { workflowId: "approve", runId, input: {} }, ...wait }),
      );
      expect(created.body.id).toBe(runId);
      const path = `/api/runs/${encodeURIComponent(runId)}`;
      const read = await answerOf(await api.fetch(path));
      expect(read.body).toMatchObject({ id: runId, status: "waiting" });
    },
  );

  test("WAIT9 a full inbox answers 429 with Retry-After", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    for (let i = 0; i < DEFAULT_LIMITS.inboxDeliveries; i++)
      await api.fetch("/api/runs/r1/events", { json: { eventType: "e" } });
    const full = await api.fetch("/api/runs/r1/events", { json: { eventType: "e" } });
    expect([full.status, full.headers.get("Retry-After")]).toEqual([429, "5"]);
  });

  test("SEC4 an error of the storage answers 500 without details", async () => {
    await api.fetch("/api/runs", { json: { workflowId: "approve", runId: "r1", input: {} }, ...wait });
    const storage = api.storageOf("r1");
    const logged = vi.spyOn(console, "error").mockImplementation(() => {});
    storage.kv.put = () => {
      throw new Error("SQLITE_FULL at /secret/path");
    };
    const answer = await answerOf(await api.fetch("/api/runs/r1/signals", { json: { name: "approval" } }));
    expect(answer).toMatchObject({ status: 500, body: { error: "internal_error" } });
    expect(JSON.stringify(answer.body)).not.toMatch(/SQLITE|secret|put/);
    expect(logged).toHaveBeenCalledOnce();
    logged.mockRestore();
  });
});

test.each([
  ["GET", "/api/workflows?limit=1", 400, "invalid_query"],
  ["POST", "/api/runs/r1/cancel?reason=typed", 400, "invalid_query"],
  // Mailers and providers add parameters to URLs that they were given.
  ["GET", "/public/tokens/a/b/c/d/e?utm_source=mail", 404, "token_not_found"],
])("API5 a parameter that a route does not know is refused: %s %s answers %d", async (method, path, status, error) => {
  const answer = await new FakeDeployment(workflows).fetch(path, { method });
  expect(await answerOf(answer)).toMatchObject({ status, body: { error } });
});
