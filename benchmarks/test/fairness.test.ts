/** tests: a busy run leaves time for other requests. Only a workerd whose requests come over sockets shows it. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BenchPlatform, startPlatform } from "../platform.ts";
import { holdfastOver } from "../systems/holdfast.ts";
import { steps } from "../systems/system.ts";

let platform: BenchPlatform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.dispose());

test.each([
  ["inline", 9_000],
  ["rpc", 2_000],
] as const)("CAN1 other requests are answered while the steps of a run end at once: %s", async (pipe, n) => {
  const state = { isOver: false };
  const run = holdfastOver(platform, pipe)
    .run("busy", steps(n))
    .then(() => (state.isOver = true));
  let answers = 0;
  while (!state.isOver) {
    await platform.ask("/healthz");
    answers += 1;
  }
  await run;
  // Without time for others: one before the run begins, and one after its end.
  expect(answers).toBeGreaterThan(4);
});

test("STR1 other requests are answered while a stream over RPC has chunks at once", async () => {
  const state = { isOver: false };
  const json = { runId: "rpc-stream", workflowId: "stream", input: 2_000 };
  const run = platform.ask<{ status: string }>("/api/runs?view=result", { json, wait: 60 }).finally(() => {
    state.isOver = true;
  });
  let answers = 0;
  while (!state.isOver) {
    await platform.ask("/healthz");
    answers += 1;
  }
  expect((await run).status).toBe("completed");
  expect(answers).toBeGreaterThan(4);
});
