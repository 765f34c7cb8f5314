/** tests: the composition root in workerd */
import { env, reset, runInDurableObject } from "cloudflare:test";
import { DurableObject } from "cloudflare:workers";
import { expectOutput } from "@holdfast/proof/output";
import { afterEach, expect, test } from "vitest";
import { call, stubOf, trigger } from "./api-client.ts";
import worker from "./worker.ts";

afterEach(reset);

test("API1 the classes extend the platform's DurableObject, so subclasses can have RPC methods", async () => {
  await trigger("sequence", "d1", 1);
  expect(await runInDurableObject(stubOf("d1"), (instance) => instance instanceof DurableObject)).toBe(true);
  const index = env.RUN_INDEX_DO.get(env.RUN_INDEX_DO.idFromName("shards"));
  expect(await runInDurableObject(index, (instance) => instance instanceof DurableObject)).toBe(true);
});

test("SEC9 bindings are recognized in workerd, and the answer names a missing one", async () => {
  expectOutput("a missing binding is logged", /this deployment is misconfigured\. The binding WORKFLOW_RUN_DO/);
  expect((await call("/healthz")).status).toBe(200);
  const answer = await worker.fetch(new Request("https://holdfast.test/api/runs"), {
    ...env,
    WORKFLOW_RUN_DO: undefined,
  } as never);
  expect([answer.status, await answer.json()]).toMatchObject([503, { error: "misconfigured" }]);
});
