import { env, SELF, reset } from "cloudflare:test";
import { afterEach, expect, test } from "vitest";

afterEach(reset);

test("a run completes", async () => {
  const answer = await SELF.fetch("https://holdfast.test/api/runs", {
    method: "POST",
    headers: { "Content-Type": "application/json", Prefer: "wait=10" },
    body: JSON.stringify({ workflowId: "sequence", input: 5000 }),
  });
  const run = (await answer.json()) as any;
  console.log(run.status, run.output, run.steps.length, run.endedAt - run.startedAt, Object.keys(env));
  expect(answer.status).toBe(201);
});
