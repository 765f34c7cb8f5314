/** tests: a busy run leaves time for other requests. Only a workerd whose requests come over sockets shows it. */
import { HOST_LIMITS } from "@holdfast/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BenchPlatform, startPlatform } from "../platform.ts";
import { holdfastOver } from "../systems/holdfast.ts";
import { steps } from "../systems/system.ts";

/** How many runs a fan-out has. All of them take about a second. */
const RUNS = 100;

let platform: BenchPlatform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.dispose());

/** Counts the requests that are answered, one after the other, until the work is done. */
async function answersDuring(work: Promise<unknown>): Promise<number> {
  const state = { isOver: false };
  const watched = work.finally(() => (state.isOver = true));
  let answers = 0;
  while (!state.isOver) {
    await platform.ask("/healthz");
    answers += 1;
  }
  await watched;
  return answers;
}

async function completed(id: string): Promise<void> {
  for (;;) {
    const { status } = await platform.ask<{ status: string }>(`/api/runs/${id}?view=summary`);
    if (status === "completed") return;
    expect(["running", "waiting"]).toContain(status);
  }
}

test.each([
  ["inline", 9_000],
  ["rpc", 2_000],
] as const)("CAN1 other requests are answered while the steps of a run end at once: %s", async (pipe, n) => {
  const answers = await answersDuring(holdfastOver(platform, pipe).run("busy", steps(n)));
  // Without time for others: one before the run begins, and one after its end.
  expect(answers).toBeGreaterThan(4);
});

test("STR1 other requests are answered while a stream over RPC has chunks at once", async () => {
  const json = { runId: "rpc-stream", workflowId: "stream", input: 2_000 };
  const run = platform.ask<{ status: string }>("/api/runs?view=result", { json, wait: 60 });
  expect(await answersDuring(run)).toBeGreaterThan(4);
  expect((await run).status).toBe("completed");
});

test.each(["inline", "rpc"])("CHILD4 other requests are answered while children start at once: %s", async (pipe) => {
  const runId = `${pipe}-children`;
  const start = platform.ask("/api/runs", { json: { runId, workflowId: "children", input: RUNS } });
  const answers = await answersDuring(start.then(() => completed(runId)));
  // Without time for others: those before the children begin, and after their end.
  expect(answers).toBeGreaterThan(6);
});

/** Starts runs that wait for an event. Returns their ids. */
async function subscribe(n: number, key: string): Promise<string[]> {
  const ids = Array.from({ length: n }, (_, i) => `inline-${key}-${i}`);
  for (const runId of ids) {
    const json = { runId, workflowId: "subscriber", input: key };
    await platform.ask("/api/runs?view=summary", { json, wait: 60 });
  }
  return ids;
}

test("EVT10 other requests are answered while an event is delivered to many runs", async () => {
  await subscribe(2 * RUNS, "k");
  const send = platform.ask("/api/events", { json: { name: "news", key: "k", data: { key: "k" } } });
  expect(await answersDuring(send.then(delivered))).toBeGreaterThan(3);
});

async function delivered(): Promise<void> {
  for (;;) {
    const { subscribers } = await platform.ask<{ subscribers: number }>("/api/topics/news/k");
    if (subscribers === 0) return;
  }
}

test("IDX5 other requests are answered while many runs are cancelled by one request", async () => {
  const ids = await subscribe(HOST_LIMITS.bulkRuns, "never");
  const cancelled = platform.ask<{ done: number }>("/api/runs/bulk", { json: { action: "cancel", ids } });
  expect(await answersDuring(cancelled)).toBeGreaterThan(3);
  expect((await cancelled).done).toBe(ids.length);
});
