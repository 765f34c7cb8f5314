/** tests: windows of debounce and batch: what they collect, and what operators change */
import { afterEach, beforeEach, expect, test } from "vitest";
import { NOW, call } from "./call.ts";
import { type FakeApi, HOSTILE, startFakeApi } from "./fake-api.ts";

let api: FakeApi;
beforeEach(async () => {
  api = await startFakeApi();
});
afterEach(() => api[Symbol.asyncDispose]());

test("WIN6 show, fire and cancel print what became of the window, and no text of a caller raw", async () => {
  const window = { workflowId: "reindex", key: HOSTILE, runId: "r-1", state: "debounced", startsAt: NOW, count: 2 };
  api.answers.set("GET /api/windows/reindex/d%201", [200, window]);
  api.answers.set("POST /api/windows/reindex/d%201/fire", [200, { ...window, state: "fired" }]);
  api.answers.set("POST /api/windows/insert/cancel", [200, { ...window, workflowId: "insert", state: "cancelled" }]);
  const verbs = [
    [["show", "reindex", "d 1"], "debounced, 2 triggers"],
    [["fire", "reindex", "d 1"], "fired"],
    [["cancel", "insert"], "cancelled"],
  ] as const;
  for (const [args, text] of verbs) {
    const { exit, stdout } = await call(["window", ...args, "--url", api.url], { columns: 120 });
    expect({ args, exit }).toEqual({ args, exit: 0 });
    expect(stdout).toContain(text);
    expect(stdout).not.toContain(HOSTILE);
  }
});
