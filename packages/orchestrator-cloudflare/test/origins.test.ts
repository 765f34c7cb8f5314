/** The public URL of a deployment, and the pages that may call it. */
import { workflow } from "@holdfast/workflows";
import { describe, expect, test, vi } from "vitest";
import type { WorkerDeps } from "../src/index.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const tokens = workflow({
  id: "tokens",
  run: async (_input, ctx) => {
    const [own, open] = [ctx.waitForToken(), ctx.waitForToken({ public: true })];
    await ctx.step("send", () => [own.url, open.url]);
    await own.wait();
  },
});

const APP = "https://app.example";
const PUBLIC_URL = "https://flows.company.example";

function deploy(deps: Partial<WorkerDeps> = {}): FakeDeployment {
  return new FakeDeployment([tokens], deps);
}

/** A request as the Worker gets it from a proxy that ends TLS: its own URL has another scheme and host. */
function throughProxy(api: FakeDeployment, headers: Record<string, string>, path = "/api/runs"): Promise<Response> {
  const body = JSON.stringify({ workflowId: "tokens", runId: "r" });
  const all = { "Content-Type": "application/json", ...headers };
  return api.handle(new Request(`http://10.0.0.7:8787${path}`, { method: "POST", headers: all, body }));
}

async function urlsOf(deps: Partial<WorkerDeps>, headers: Record<string, string> = {}): Promise<unknown> {
  const api = deploy(deps);
  expect((await throughProxy(api, headers)).status).toBe(201);
  return vi.waitFor(async () => {
    const { steps } = (await answerOf(await api.fetch("/api/runs/r"))).body as { steps: { output?: unknown }[] };
    expect(steps[0]?.output).toHaveLength(2);
    return steps[0]?.output;
  });
}

describe("URLs of tokens", () => {
  test.each([PUBLIC_URL, `${PUBLIC_URL}/`, `${PUBLIC_URL}/holdfast`, `${PUBLIC_URL}/holdfast//`])(
    "WAIT7 with the public URL %s they start with it, whatever the request's Host says",
    async (publicUrl) => {
      const start = publicUrl.replace(/\/+$/, "");
      for (const headers of [{}, { Host: "evil.example", "X-Forwarded-Host": "evil.example" }]) {
        expect(await urlsOf({ publicUrl }, headers)).toEqual([
          expect.stringMatching(`^${start}/api/runs/r/tokens/[0-9a-f]{32}$`),
          expect.stringMatching(`^${start}/public/tokens/-/r/[0-9a-f]{16}/[0-9a-f]{32}/[0-9a-f]{32}$`),
        ]);
      }
    },
  );

  test("WAIT7 without a public URL they are relative, whatever the request's Host says", async () => {
    expect(await urlsOf({}, { Host: "evil.example" })).toEqual([
      expect.stringMatching(/^\/api\/runs\/r\/tokens\//),
      expect.stringMatching(/^\/public\/tokens\/-\/r\//),
    ]);
  });
});

describe("pages of browsers", () => {
  test("SEC6 pages of the public URL may call the API after a proxy that ends TLS", async () => {
    const api = deploy({ publicUrl: `${PUBLIC_URL}/holdfast` });
    expect((await throughProxy(api, { Origin: PUBLIC_URL })).status).toBe(201);
    for (const origin of ["https://evil.example", "http://10.0.0.7:8787", "http://flows.company.example", "null"]) {
      const { status, body } = await answerOf(await throughProxy(api, { Origin: origin }));
      expect([status, body["error"]]).toEqual([403, "origin_not_allowed"]);
    }
  });

  test("SEC6 without a public URL, the refusal of a page after a proxy names PUBLIC_URL", async () => {
    const { status, body } = await answerOf(await throughProxy(deploy(), { Origin: PUBLIC_URL }));
    expect([status, body["message"]]).toEqual([403, expect.stringContaining("set PUBLIC_URL")]);
  });

  test("SEC6 an allowed origin gets CORS headers with every answer, refusals included, and preflights need no credentials", async () => {
    const verifyRequest = ({ headers }: Request): boolean => headers.get("Authorization") === "Bearer x";
    const api = deploy({ allowedOrigins: [APP, "https://other.example"], verifyRequest });
    const preflight = await api.fetch("/api/runs/r", { method: "OPTIONS", headers: { Origin: APP } });
    expect([preflight.status, preflight.headers.get("Access-Control-Allow-Origin")]).toEqual([204, APP]);
    expect(preflight.headers.get("Access-Control-Allow-Headers")).toContain("Authorization");
    expect(preflight.headers.get("Access-Control-Allow-Methods")).toContain("DELETE");
    const refused = await throughProxy(api, { Origin: APP });
    expect([refused.status, refused.headers.get("Access-Control-Allow-Origin")]).toEqual([401, APP]);
    const made = await throughProxy(api, { Origin: APP, Authorization: "Bearer x" });
    expect([made.status, made.headers.get("Access-Control-Allow-Origin")]).toEqual([201, APP]);
    for (const answer of [preflight, refused, made]) {
      expect(answer.headers.get("Vary")).toContain("Origin");
      expect(answer.headers.get("Access-Control-Allow-Credentials")).toBeNull();
    }
    expect(made.headers.get("Access-Control-Expose-Headers")).toContain("Location");
  });

  test("SEC6 any other origin gets no CORS headers, and may change nothing", async () => {
    const api = deploy({ allowedOrigins: [APP] });
    for (const origin of [
      "https://app.example.evil.example",
      "https://APP.example",
      `${APP}:444`,
      "http://app.example",
    ]) {
      const read = await api.fetch("/api/workflows", { headers: { Origin: origin } });
      const preflight = await api.fetch("/api/runs", { method: "OPTIONS", headers: { Origin: origin } });
      const change = await throughProxy(api, { Origin: origin });
      expect([read.status, preflight.status, change.status]).toEqual([200, 403, 403]);
      for (const answer of [read, preflight, change])
        expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
      // A cache must not give this answer to a page of an allowed origin.
      expect(read.headers.get("Vary")).toContain("Origin");
    }
    const own = await api.fetch("/api/runs", {
      json: { workflowId: "tokens" },
      headers: { Origin: "https://flows.example" },
    });
    expect(own.status).toBe(201);
  });
});
