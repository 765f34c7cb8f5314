/** tests: an idempotency key that callers of the API and `ctx.invoke` share */
import { workflow } from "@holdfast/workflows";
import { beforeEach, expect, test } from "vitest";
import { FakeDeployment, answerOf } from "./fake-platform.ts";

let executed = 0;
let api: FakeDeployment;
beforeEach(() => {
  executed = 0;
  const child = workflow({
    id: "child",
    run: async ({ n }: { n: number }, ctx) => ctx.step("double", () => ((executed += 1), n * 2)),
  });
  const parent = workflow({
    id: "parent",
    run: async ({ n }: { n: number }, ctx) => {
      try {
        return await ctx.invoke(child, { n }, { idempotencyKey: "K" });
      } catch (error) {
        return (error as { cause: { code: string; message: string } }).cause;
      }
    },
  });
  api = new FakeDeployment([child, parent]);
});

/** Triggers a run and waits for its end. */
async function trigger(json: object): Promise<Record<string, unknown>> {
  const { body } = await answerOf(await api.fetch("/api/runs", { json }));
  if (typeof body.id !== "string") return body;
  const answer = await api.fetch(`/api/runs/${encodeURIComponent(body.id)}`, { headers: { Prefer: "wait=5" } });
  return (await answerOf(answer)).body;
}

test("RUN2 a caller's trigger and ctx.invoke with one key share one run, whichever is first", async () => {
  const byCaller = { workflowId: "child", input: { n: 2 }, idempotencyKey: "K" };
  const first = await trigger(byCaller);
  expect(await trigger({ workflowId: "parent", runId: "p", input: { n: 2 } })).toMatchObject({ output: 4 });
  expect(executed).toBe(1);
  await api.fetch(`/api/runs/${String(first.id)}`, { method: "DELETE" });
  expect(await trigger({ workflowId: "parent", runId: "q", input: { n: 2 } })).toMatchObject({ output: 4 });
  expect(await trigger(byCaller)).toMatchObject({
    id: first.id,
    output: 4,
    triggeredBy: "parent",
    parent: { runId: "q" },
  });
  expect(executed).toBe(2);
});

test("RUN2 a caller's trigger with the key of a child, and another input or run id, is rejected", async () => {
  await trigger({ workflowId: "parent", input: { n: 2 } });
  const byCaller = { workflowId: "child", idempotencyKey: "K" };
  expect(await trigger({ ...byCaller, input: { n: 3 } })).toMatchObject({ error: "idempotency_conflict" });
  const named = { ...byCaller, input: { n: 2 }, runId: "r" };
  expect(await trigger(named)).toMatchObject({ error: "idempotency_conflict" });
});

test("RUN2 a child whose key belongs to a run with a chosen id fails with IDEMPOTENCY_CONFLICT and the id of that run", async () => {
  await trigger({ workflowId: "child", input: { n: 2 }, idempotencyKey: "K", runId: "chosen" });
  const { output } = await trigger({ workflowId: "parent", input: { n: 2 } });
  expect(output).toMatchObject({ code: "IDEMPOTENCY_CONFLICT", message: expect.stringContaining('run "chosen"') });
  expect(executed).toBe(1);
});
