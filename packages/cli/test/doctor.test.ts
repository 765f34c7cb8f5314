/** tests: what doctor finds, and the remedies */
import type { DeploymentInfo } from "@holdfast/workflows/client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readVersion } from "../src/version.ts";
import { NOW, call } from "./call.ts";
import { type FakeApi, startFakeApi } from "./fake-api.ts";

const INFO: DeploymentInfo = {
  version: readVersion(),
  now: NOW,
  environment: "production",
  publicUrl: null,
  open: false,
  held: false,
  index: true,
  storage: "sqlite",
  compatibility: { nodejs_compat: true },
};

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
  api.answers.set("GET /api/deployment", [200, INFO]);
});
afterEach(() => api[Symbol.asyncDispose]());

async function findings(): Promise<{
  readonly exit: number;
  readonly found: Record<string, { status: string; message: string; remedy?: string }>;
}> {
  const { exit, stdout } = await call(["doctor", "--url", api.url]);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { check: string; status: string; message: string });
  return { exit, found: Object.fromEntries(lines.map((line) => [line.check, line])) };
}

describe("doctor", () => {
  test.each([80, 140])("CLI2 a healthy deployment: every check is fine, %i columns", async (columns) => {
    const { exit, stdout, stderr } = await call(["doctor", "--url", api.url], { columns });
    expect(
      `exit ${exit}\n${stdout}${stderr}`.replaceAll(api.url, "URL").replaceAll(readVersion(), "VERSION"),
    ).toMatchSnapshot();
    expect(exit).toBe(0);
  });

  test.each<[string, Partial<DeploymentInfo>, string, RegExp]>([
    ["storage", { storage: "unusable" }, "failed", /new_sqlite_classes/],
    ["compatibility", { compatibility: { nodejs_compat: false } }, "warning", /compatibility_date/],
    ["clock", { now: NOW + 60_000 }, "warning", /NTP/],
    ["public-url", { publicUrl: "https://other.example" }, "warning", /Set PUBLIC_URL/],
  ])("CLI2 %s: what is wrong is found, with its remedy", async (check, wrong, status, remedy) => {
    api.answers.set("GET /api/deployment", [200, { ...INFO, ...wrong }]);
    const { exit, found } = await findings();
    expect(found[check]).toMatchObject({ status, remedy: expect.stringMatching(remedy) });
    expect(exit).toBe(status === "failed" ? 4 : 0);
  });

  test.each<[string, string, number, string, number, string]>([
    ["token", "/api/workflows", 401, "unauthorized", 5, "holdfast login"],
    ["token", "/api/workflows", 503, "auth_not_configured", 5, "API_TOKENS"],
    ["token", "/api/workflows", 503, "misconfigured", 4, "log names"],
    ["step-handler", "/api/workflows", 502, "dispatcher_unreachable", 6, "Start the step handler"],
    ["index", "/api/runs", 501, "index_not_configured", 4, "RUN_INDEX_DO"],
  ])(
    "CLI2 %s: the refusal of %s with %i %s is a finding with its remedy",
    async (check, path, status, error, exit, remedy) => {
      api.answers.set(`GET ${path}`, [status, { error, message: "why" }]);
      const called = await findings();
      expect(called.found[check]).toMatchObject({ status: "failed", remedy: expect.stringContaining(remedy) });
      expect(called.exit).toBe(exit);
    },
  );

  test("CLI2 a misconfigured server: no line sends the reader to one that does not name the field", async () => {
    const message = "This deployment is misconfigured. Its log names the field.";
    api.answers.set("GET /healthz", [503, { ok: false, version: readVersion(), misconfigured: true }]);
    api.answers.set("GET /api/workflows", [503, { error: "misconfigured", message }]);
    const { exit, found } = await findings();
    expect(exit).toBe(4);
    for (const check of ["server", "token"])
      expect(found[check]).toMatchObject({ status: "failed", remedy: expect.stringContaining("server's log names") });
    expect(JSON.stringify(found)).not.toContain("line about");
  });

  test("CLI2 a server of another version, a held one and one without a server are found", async () => {
    api.answers.set("GET /healthz", [200, { ok: true, version: "9.1.0", held: true }]);
    const { found } = await findings();
    expect(found).toMatchObject({
      version: { status: "warning", remedy: expect.stringContaining("@holdfast/cli@9.1.0") },
      hold: { status: "warning" },
    });
    await api[Symbol.asyncDispose]();
    const none = await call(["doctor", "--url", api.url]);
    expect(none).toMatchObject({ exit: 6, stdout: expect.stringContaining(`${api.url}: connect ECONNREFUSED`) });
  });

  test("CLI2 without the scope admin the set-up is skipped, and the line says which scope it needs", async () => {
    api.answers.set("GET /api/deployment", [403, { error: "forbidden", message: "no" }]);
    const { exit, found } = await findings();
    expect(found["deployment"]).toMatchObject({ status: "skipped", remedy: expect.stringContaining("scope admin") });
    expect(exit).toBe(0);
  });
});
