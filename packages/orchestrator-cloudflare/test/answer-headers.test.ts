/** tests: the headers of answers (API5), and messages of invalid queries */
import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { expectOutput } from "@holdfast/proof/output";
import { describe, expect, test } from "vitest";
import { ROUTES } from "../src/api/routes.ts";
import { ApiRefusal, STATUS_OF, type ApiErrorCode } from "../src/refusal.ts";
import { durableObjectIndex, handleWorkerRequest } from "../src/index.ts";
import { workflows } from "./api-workflows.ts";
import { FakeDeployment, FakeIndexNamespace, answerOf } from "./fake-platform.ts";

const COMMON = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "holdfast-version": HOLDFAST_VERSION,
};

function commonOf({ headers }: Response): object {
  return Object.fromEntries(Object.keys(COMMON).map((name) => [name, headers.get(name)]));
}

describe("every answer", () => {
  const place = (path: string): string => path.replaceAll(/:\w+/g, "x");

  test.each(ROUTES)("API5 of $verb $path has the common headers, whatever the credentials", async ({ verb, path }) => {
    for (const verifyRequest of [() => true, () => false, undefined]) {
      const api = new FakeDeployment(workflows, { verifyRequest });
      for (const method of [verb, "PATCH", "HEAD"])
        expect(commonOf(await api.fetch(place(path), { method }))).toEqual(COMMON);
    }
  });

  test("API5 has them too if the deployment is misconfigured, the path unknown, or the verifier answers", async () => {
    expectOutput("a misconfigured deployment", /misconfigured/);
    for (const path of ["/healthz", "/api/runs/r", "/nowhere"]) {
      const request = new Request(`https://flows.example${path}`);
      expect(commonOf(await handleWorkerRequest(request, {} as never))).toEqual(COMMON);
    }
    const api = new FakeDeployment(workflows, { verifyRequest: () => new Response("no", { status: 418 }) });
    const answer = await api.handle(new Request("https://flows.example/api/x"));
    expect([answer.status, await answer.clone().text(), commonOf(answer)]).toEqual([418, "no", COMMON]);
    expect(commonOf(await api.fetch("/nowhere"))).toEqual(COMMON);
  });

  test("API5 keeps a cache header that the verifier set", async () => {
    const headers = { "Cache-Control": "private" };
    const api = new FakeDeployment(workflows, { verifyRequest: () => new Response("no", { status: 418, headers }) });
    expect((await api.fetch("/api/x")).headers.get("Cache-Control")).toBe("private");
  });
});

describe("a new run", () => {
  test("API5 has a Location, which answers; an existing run has none", async () => {
    const api = new FakeDeployment(workflows);
    const json = { workflowId: "fails", runId: "a/b %ü" };
    const created = await api.fetch("/api/runs", { json, headers: { Prefer: "wait=5" } });
    const location = created.headers.get("Location") ?? "";
    expect([created.status, location]).toEqual([201, "/api/runs/a%2Fb%20%25%C3%BC"]);
    expect((await answerOf(await api.fetch(location))).body["id"]).toBe(json.runId);
    expect((await api.fetch("/api/runs", { json })).headers.has("Location")).toBe(false);
    const resumed = await api.fetch(`${location}/resume`, { json: { runId: "next" } });
    expect([resumed.status, resumed.headers.get("Location")]).toEqual([201, "/api/runs/next"]);
  });
});

describe("Prefer", () => {
  test("API5 is confirmed on each route that waits, with the time that was applied", async () => {
    const api = new FakeDeployment(workflows);
    const applied = async (path: string, json: object | undefined, prefer: string): Promise<string | null> => {
      const answer = await api.fetch(path, { ...(json === undefined ? {} : { json }), headers: { Prefer: prefer } });
      return answer.headers.get("Preference-Applied");
    };
    const json = { workflowId: "fails", runId: "r" };
    expect(await applied("/api/runs", json, "respond-async, wait=5")).toBe("wait=5");
    expect(await applied("/api/runs/r", undefined, "wait=3600")).toBe("wait=60");
    expect(await applied("/api/runs/r/resume", { runId: "n" }, "wait=2")).toBe("wait=2");
    for (const prefer of ["Wait=1", 'wait="1"', "wait = 1", "wait=1;x=2", "wait=1, wait=9", 'x="y", wait=1', "wait=01"])
      expect([prefer, await applied("/api/runs", json, prefer)]).toEqual([prefer, "wait=1"]);
    expect(await applied("/api/runs", json, "wait=99999999999999999999")).toBe("wait=60");
    for (const prefer of ["wait=0", "wait=soon", "return=minimal", 'x="a, wait=9"', "xwait=9", "wait=1.5", "wait=-1"])
      expect(await applied("/api/runs/r", undefined, prefer)).toBeNull();
    expect(await applied("/api/runs/absent", undefined, "wait=1")).toBeNull();
  });
});

test("API5 each refusal that may pass soon has Retry-After", () => {
  const soon = new Set<string>(["auth_unavailable", "dispatcher_unreachable"]);
  for (const code of Object.keys(STATUS_OF) as ApiErrorCode[]) {
    const { headers } = new ApiRefusal(code, "m").toResponse();
    expect([code, headers.has("Retry-After")]).toEqual([code, STATUS_OF[code] === 429 || soon.has(code)]);
  }
});

describe("invalid queries", () => {
  const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const api = new FakeDeployment(workflows, { runIndex });

  test.each([
    ["/api/runs?limit=0", "limit"],
    ["/api/runs?limit=abc", "limit"],
    ["/api/runs?status=done", "status"],
    ["/api/runs?order=up", "order"],
    ["/api/runs?createdAfter=yesterday", "createdAfter"],
    ["/api/runs?tag=", "tag.0"],
    ["/api/runs?parentRunId=%00", "parentRunId"],
    ["/api/runs?workflowId=", "workflowId"],
    ["/api/runs?cursor=x", "cursor"],
    ["/api/runs?staus=failed", "staus"],
    ["/api/runs/r/journal?after=-1", "after"],
    ["/api/runs/r/journal?limit=1001", "limit"],
    ["/api/runs/r/stream?from=end", "from"],
  ])("LIM2 %s is answered with the name of the field %s", async (path, field) => {
    const { status, body } = await answerOf(await api.fetch(path));
    expect([status, body["error"]]).toEqual([400, "invalid_query"]);
    expect(body["message"]).toContain(`: ${field}: `);
  });
});
