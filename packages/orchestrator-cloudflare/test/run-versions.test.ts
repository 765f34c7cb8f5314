/** tests: a run keeps its version where the orchestrator does not know the code, such as that of a step handler (RUN4) */
import { workflow } from "@holdfast/workflows";
import { createStepHandler } from "@holdfast/workflows/handler";
import { expect, test } from "vitest";
import { createServiceBindingDispatcher } from "../src/index.ts";
import { Network, deployed, read, trigger, until } from "./handler-network.ts";

function order(version: string | undefined, ...steps: string[]) {
  return workflow({
    id: "order",
    ...(version === undefined ? {} : { version }),
    run: async (_input, ctx) => {
      for (const step of steps) await ctx.step(step, () => null);
      await ctx.waitForSignal("go");
      return version;
    },
  });
}

const [V1, V2] = [order("1", "charge"), order("2", "check", "charge")];

function serve(network: Network, ...workflows: (typeof V1)[]): void {
  network.handlers = [new Network({ workflows }).newHandler()];
}

const go = { json: { name: "go" } };

test("RUN4 a run of a step handler keeps the version of the code that began it when a newer one is served", async () => {
  const network = new Network({ workflows: [V1] });
  const api = network.deploy();
  await trigger(api, "order");
  expect(await until(api, "waiting")).toMatchObject({ workflowVersion: "1" });
  serve(network, V1, V2);
  await api.fetch("/api/runs/r/signals", go);
  expect(await until(api, "completed")).toMatchObject({ output: "1", workflowVersion: "1" });
  await trigger(api, "order", null, "later");
  expect(await until(api, "waiting", { runId: "later" })).toMatchObject({ workflowVersion: "2" });
});

test("RUN4 of instances with different code, the one that began a run decides its version, and the others wait for it", async () => {
  const network = new Network({ workflows: [V1, V2] });
  const api = network.deploy();
  await trigger(api, "order");
  expect(await until(api, "waiting")).toMatchObject({ workflowVersion: "2" });
  serve(network, V1);
  await api.fetch("/api/runs/r/signals", go);
  expect(await until(api, "running")).toMatchObject({ workflowVersion: "2" });
  serve(network, V1, V2);
  expect(await until(api, "completed")).toMatchObject({ output: "2" });
});

test("RUN4 code that does not fit a run without a version leaves it without one", async () => {
  const network = new Network({ workflows: [order(undefined, "charge")] });
  const api = network.deploy();
  await trigger(api, "order");
  await until(api, "waiting");
  serve(network, V2);
  await api.fetch("/api/runs/r/signals", go);
  expect(await until(api, "paused")).toMatchObject({ error: { code: "NON_DETERMINISM" }, workflowVersion: null });
  serve(network, V1);
  await api.fetch("/api/runs/r/retry", { method: "POST" });
  expect(await until(api, "completed")).toMatchObject({ output: "1", workflowVersion: "1" });
  expect(await read(api)).not.toHaveProperty("error");
});

test("RUN4 a run of another Worker keeps the version of the code that began it", async () => {
  let handler = createStepHandler({ workflows: [V1], signingKeys: "unsigned" });
  const binding = { fetch: (request: Request) => handler(request) };
  const api = deployed(createServiceBindingDispatcher({ binding, pipe: "fetch" }));
  await trigger(api, "order");
  expect(await until(api, "waiting")).toMatchObject({ workflowVersion: "1" });
  handler = createStepHandler({ workflows: [V1, V2], signingKeys: "unsigned" });
  api.evict("r");
  await api.fetch("/api/runs/r/signals", go);
  expect(await until(api, "completed")).toMatchObject({ output: "1", workflowVersion: "1" });
});
