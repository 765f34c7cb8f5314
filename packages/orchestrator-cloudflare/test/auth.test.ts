import { HOLDFAST_VERSION } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { bearerAuth } from "../src/index.ts";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

const ROUTES: [string, string][] = [
  ["POST", "/api/runs"],
  ["GET", "/api/runs/r1"],
  ["GET", "/api/runs/r1/journal"],
  ["POST", "/api/runs/r1/resume"],
  ["POST", "/api/runs/r1/events"],
  ["POST", "/api/runs/r1/signals"],
  ["POST", "/api/runs/r1/tokens/t"],
  ["POST", "/api/runs/r1/cancel"],
  ["GET", "/api/workflows"],
  ["GET", "/api/unknown"],
];

describe("closed by default", () => {
  test.each(ROUTES)("SEC1 %s %s answers 503 auth_not_configured without configuration", async (method, path) => {
    for (const tokens of [undefined, "", " , ", []]) {
      const api = new FakeDeployment([], { verifyRequest: bearerAuth(tokens) });
      const answer = await answerOf(await api.fetch(path, { method, headers: { Authorization: "Bearer " } }));
      expect(answer).toMatchObject({
        status: 503,
        body: { error: "auth_not_configured", message: expect.stringContaining("API_TOKENS") },
      });
    }
  });

  test.each(ROUTES)("SEC1 %s %s answers 401 to a request without a valid token", async (method, path) => {
    const api = new FakeDeployment([], {
      verifyRequest: bearerAuth("one-token-of-a-caller, another-token-of-a-caller"),
    });
    for (const header of [
      "",
      "Bearer",
      "Bearer wrong",
      "Basic one-token-of-a-caller",
      "Bearer one-token-of-a-caller,",
      "one-token-of-a-caller",
      "Bearer one-token-of-a-caller another-token-of-a-caller",
    ]) {
      const response = await api.fetch(path, { method, headers: header === "" ? {} : { Authorization: header } });
      expect([header, response.status, response.headers.get("WWW-Authenticate")]).toEqual([header, 401, "Bearer"]);
    }
  });

  test("SEC1 the API accepts each token of the list", async () => {
    const api = new FakeDeployment([], {
      verifyRequest: bearerAuth(["one-token-of-a-caller", "another-token-of-a-caller"]),
    });
    for (const token of ["one-token-of-a-caller", "another-token-of-a-caller"]) {
      expect((await api.fetch("/api/workflows", { headers: { Authorization: `Bearer ${token}` } })).status).toBe(200);
    }
  });

  test("SEC1 /healthz needs no token and reveals nothing about the deployment", async () => {
    const api = new FakeDeployment([], { verifyRequest: bearerAuth(undefined) });
    expect(await answerOf(await api.fetch("/healthz"))).toEqual({
      status: 200,
      body: { ok: true, version: HOLDFAST_VERSION },
    });
  });
});
