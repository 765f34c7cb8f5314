import { describe, expect, test } from "vitest";
import { FakeDeployment } from "./fake-platform.ts";
import { checkAnswer } from "./openapi-check.ts";

describe("the document", () => {
  test("API1 the document is served without credentials, and reveals nothing about the deployment", async () => {
    const api = new FakeDeployment([], { verifyRequest: () => false });
    const response = await api.fetch("/openapi.json");
    expect(await response.json()).toMatchObject({ openapi: "3.1.0", paths: { "/api/runs": { post: {} } } });
    expect((await api.fetch("/openapi.json", { method: "POST" })).status).toBe(405);
  });

  test.each([
    ["a field that is not documented", "GET", "/api/runs/r/audit", Response.json({ entries: [], more: 1 })],
    ["a field that is missing", "GET", "/api/runs", Response.json({ runs: [] })],
    ["a status that is not documented", "GET", "/healthz", Response.json({ ok: true }, { status: 202 })],
    [
      "a code that is not documented",
      "GET",
      "/healthz",
      Response.json({ error: "gone", message: "x" }, { status: 410 }),
    ],
    [
      "a code of another operation",
      "DELETE",
      "/api/runs/r",
      Response.json({ error: "inbox_full", message: "x" }, { status: 409 }),
    ],
    ["another type", "GET", "/healthz", new Response("ok")],
  ])("API1 the check of the suites detects %s", async (_what, method, path, response) => {
    await expect(checkAnswer(new Request(`https://flows.example${path}`, { method }), response)).rejects.toThrow(
      "openapi",
    );
  });
});
