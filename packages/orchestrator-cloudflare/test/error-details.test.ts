/** What readers of the API see of errors and of unusual values: stacks for operators only, and no failure (SEC4, STEP9). */
import { workflow } from "@holdfast/workflows";
import { afterEach, describe, expect, test, vi } from "vitest";
import { bearerAuth, durableObjectIndex, logEvents } from "../src/index.ts";
import { RunFailedError, type RunRecord } from "@holdfast/workflows/client";
import { FakeDeployment, FakeIndexNamespace, tokenOf } from "./fake-platform.ts";

const fails = workflow({
  id: "fails",
  run: async (_input, ctx) => {
    ctx.metadata.set("seen", new Error("in metadata"));
    await ctx.step("odd", () => new Error("a value"));
    await ctx.step("bad", { retry: { max: 1 }, compensate: () => {} }, () => {
      throw Object.assign(new Error("duplicate key", { cause: new Error("inner") }), { code: 11_000, status: 409 });
    });
  },
});
const parent = workflow({ id: "parent", run: (_input, ctx) => ctx.invoke(fails, {}) });

const TOKENS = [
  { token: tokenOf("operator"), subject: "ann", scopes: ["read", "trigger", "operate"] as const },
  { token: tokenOf("reader"), subject: "bob", scopes: ["read", "trigger", "deliver"] as const },
];

/** A frame of a stack, in this file or in the engine's. */
const FRAME = /\.ts:\d+|"stack"/;

const logged = vi.spyOn(console, "warn").mockImplementation(() => {});
afterEach(() => logged.mockClear());

function deployment(): (token: string, path: string, json?: unknown) => Promise<string> {
  const telemetry = { event: logEvents() };
  const api = new FakeDeployment([fails, parent], { verifyRequest: bearerAuth(TOKENS) }, undefined, { telemetry });
  return async (token, path, json) => {
    const headers = { Authorization: `Bearer ${tokenOf(token)}`, Prefer: "wait=5" };
    const response = await api.fetch(path, { headers, ...(json === undefined ? {} : { json }) });
    return response.text();
  };
}

describe("errors in the API", () => {
  test("SEC4 STEP9 the record and the journal show stacks to callers with the scope operate, and to no others", async () => {
    const ask = deployment();
    const created = await ask("operator", "/api/runs", { workflowId: "fails", runId: "r" });
    expect(created).not.toMatch(FRAME);
    for (const path of ["/api/runs/r", "/api/runs/r/journal"]) {
      expect(await ask("operator", path)).toMatch(/error-details\.test\.ts:\d+.*Caused by: Error: inner/);
      expect(await ask("reader", path)).not.toMatch(FRAME);
    }
    for (const path of ["/api/runs/r/stream", "/api/runs/r/audit", "/api/runs"])
      expect(await ask("operator", path)).not.toMatch(FRAME);
  });

  test("STEP9 the record shows the code as it was, the cause and the own fields", async () => {
    const ask = deployment();
    await ask("reader", "/api/runs", { workflowId: "fails", runId: "r" });
    const { error, steps } = JSON.parse(await ask("reader", "/api/runs/r")) as { error: object; steps: object[] };
    const shown = {
      code: 11_000,
      name: "Error",
      message: "duplicate key",
      cause: { message: "inner" },
      fields: { status: 409 },
    };
    expect(error).toMatchObject({ ...shown, category: "USER_ERROR", step: "bad" });
    expect(steps[1]).toMatchObject({ error: shown });
  });

  test("STEP9 an error without a message is named in the record, the reasons, the list and the client's error", async () => {
    class QuotaError extends Error {
      override readonly name = "QuotaError";
      readonly code = "X";
    }
    const wordless = workflow({
      id: "wordless",
      run: (_input, ctx) =>
        ctx.step("bad", { retry: { max: 1 } }, () => {
          throw new QuotaError();
        }),
    });
    const runIndex = durableObjectIndex({ binding: new FakeIndexNamespace() });
    const api = new FakeDeployment([wordless], { runIndex }, undefined, { runIndex });
    await api.fetch("/api/runs", { json: { workflowId: "wordless", runId: "r" }, headers: { Prefer: "wait=5" } });
    const shown = { code: "X", message: "QuotaError without a message" };
    const record = (await (await api.fetch("/api/runs/r")).json()) as RunRecord;
    expect(record).toMatchObject({ error: shown, steps: [{ error: shown }], why: [{ error: shown }] });
    expect(record.why[0]?.text).toContain("X: QuotaError without a message");
    await expect
      .poll(async () => (await api.fetch("/api/runs")).json(), { timeout: 5_000 })
      .toMatchObject({ runs: [{ error: shown }] });
    expect(new RunFailedError(record).message).toContain("QuotaError without a message");
  });

  test("SEC4 a parent's record, journal and rows hold no stack of its child", async () => {
    const ask = deployment();
    await ask("operator", "/api/runs", { workflowId: "parent", runId: "p" });
    // The answer to a trigger comes when the run waits for its child, this one when it has ended.
    expect(await ask("operator", "/api/runs/p")).toContain('"status":"failed"');
    const journal = await ask("operator", "/api/runs/p/journal");
    expect(journal).toContain("duplicate key");
    expect(journal).not.toContain("error-details.test.ts");
  });

  test("STEP9 the log has the stack, with the run's id and the step", async () => {
    const ask = deployment();
    await ask("reader", "/api/runs", { workflowId: "fails", runId: "r" });
    const lines = logged.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
    expect(lines.find(({ type }) => type === "step.failed")).toMatchObject({
      runId: "r",
      operation: "step/0/bad",
      stack: expect.stringMatching(/error-details\.test\.ts:\d+[^]*Caused by: Error: inner/),
    });
  });
});

describe("values in the API", () => {
  const shows = workflow({
    id: "shows",
    run: async (_input, ctx) => {
      const { buffer } = Uint8Array.of(1, 2);
      ctx.metadata.set("bytes", buffer);
      await ctx.step("list", () => [new Int16Array(buffer), Object.assign([1], { 2: 2 })]);
      await ctx.stream.json("chunks", [new DataView(buffer)]);
      return { buffer };
    },
  });
  const PATHS = ["/api/runs/r", "/api/runs/r/journal", "/api/runs/r/stream", "/api/runs?limit=1"];

  async function shown(api: FakeDeployment): Promise<string> {
    const answers = await Promise.all(PATHS.map((path) => api.fetch(path)));
    expect(answers.map(({ status }) => status).slice(0, 3)).toEqual([200, 200, 200]);
    return (await Promise.all(answers.map((answer) => answer.text()))).join("\n");
  }

  test("LIM1 buffers, views and lists with empty places are shown in the record, the journal and the stream", async () => {
    const api = new FakeDeployment([shows]);
    await api.fetch("/api/runs", { json: { workflowId: "shows", runId: "r" }, headers: { Prefer: "wait=5" } });
    const text = await shown(api);
    for (const part of ['"output":{"buffer":"AQI="}', '"bytes":"AQI="', "[[513],[1,null,2]]", '"value":"AQI="'])
      expect(text).toContain(part);
  });

  test("STEP5 LIM1 stored values that do not decode are shown as [unreadable] on every route, and RUN2 repeats are answered", async () => {
    const api = new FakeDeployment([shows]);
    const json = { workflowId: "shows", runId: "r", input: { a: 1 } };
    await api.fetch("/api/runs", { json, headers: { Prefer: "wait=5" } });
    const { rows } = api.storageOf("r");
    for (const [key, row] of rows) rows.set(key, broken(row));
    api.evict("r");
    const text = await shown(api);
    for (const part of [
      '"input":"[unreadable]"',
      '"output":"[unreadable]"',
      '"bytes":"[unreadable]"',
      '"value":"[unreadable]"',
    ])
      expect(text).toContain(part);
    expect((await api.fetch("/api/runs", { json })).status).toBe(409);
  });

  /** Replaces the encoded values of a row by a text that no decoder reads. */
  function broken(row: unknown): unknown {
    const unreadable = (text: string): string => (/^(\[|-1)/.test(text) ? '[["Unknown",1],2]' : text);
    if (typeof row === "string") return unreadable(row);
    if (typeof row !== "object" || row === null) return row;
    if (Array.isArray(row)) return row.map(broken);
    return Object.fromEntries(Object.entries(row).map(([key, part]) => [key, broken(part)]));
  }
});
