import { describe, expect, test } from "vitest";
import { FakeDeployment } from "./fake-platform.ts";
import { OPENAPI_TEXT } from "../src/api/openapi-text.ts";
import { checkAnswer } from "./openapi-check.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: { readonly type?: string; readonly pattern?: string };
}

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
    [
      "a header that is not documented",
      "GET",
      "/healthz",
      Response.json({ ok: true, version: "1" }, { headers: { Location: "/" } }),
    ],
    ["a body of an answer to HEAD", "HEAD", "/healthz", Response.json({ ok: true, version: "1" })],
    ["a page for an unknown path", "GET", "/nowhere", Response.json({ message: "no" }, { status: 404 })],
    [
      "another method that is refused without Allow",
      "PUT",
      "/healthz",
      Response.json({ error: "method_not_allowed", message: "no" }, { status: 405 }),
    ],
    [
      "a parameter that is accepted and not allowed",
      "GET",
      "/api/runs?limit=201",
      Response.json({ runs: [], nextCursor: null }),
    ],
  ])("API1 the check of the suites detects %s", async (_what, method, path, response) => {
    await expect(checkAnswer(new Request(`https://flows.example${path}`, { method }), response)).rejects.toThrow(
      "openapi",
    );
  });

  test("API1 the check of the suites detects a body that is accepted and not allowed", async () => {
    const request = new Request("https://flows.example/api/runs/r/cancel", { method: "POST" });
    const answer = (): Response => Response.json({ run: { id: "r", status: "cancelled" } }, { status: 202 });
    await checkAnswer(request, answer(), '{"reason":"x"}');
    await expect(checkAnswer(request, answer(), '{"why":"x"}')).rejects.toThrow("openapi");
  });

  test("API1 every number in a query is documented as a number, and each page with its largest size", () => {
    const document = JSON.parse(OPENAPI_TEXT) as {
      paths: Record<string, Record<string, { parameters?: Parameter[] }>>;
    };
    const operations = Object.values(document.paths).flatMap((verbs) => Object.values(verbs));
    const inQuery = operations.flatMap(({ parameters = [] }) => parameters).filter((one) => one.in === "query");
    const numbers = inQuery.filter(({ schema }) => schema.type === "integer" || schema.pattern !== undefined);
    expect(numbers.length).toBeGreaterThan(10);
    for (const { name, schema } of numbers) {
      expect([name, schema.type, schema.pattern]).toEqual([name, "integer", undefined]);
      if (name === "limit") expect(schema).toMatchObject({ minimum: 1, maximum: expect.any(Number) });
    }
  });
});
