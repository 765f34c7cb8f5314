/** A limit on real workerd, whose workflow code is in a Node process that is down when the runs are triggered. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { bundleWorker } from "@holdfast/cli/bundle";
import { findFreePort } from "@holdfast/cli/free-port";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { afterAll, expect, test, vi } from "vitest";

const KEY = "a-key-for-the-steps-of-this-test";
const RUNS = ["a", "b", "c", "d"];
const ends: (() => unknown)[] = [];

afterAll(async () => {
  for (const end of ends) await end();
});

async function startWorkerd(port: number): Promise<string> {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      telemetry: { enabled: false },
      // The step handler is down on purpose.
      handleStructuredLogs: () => {},
      workers: [
        {
          name: "remote",
          modules: true,
          script: await bundleWorker(join(import.meta.dirname, "../src/soak/worker/remote.ts")),
          compatibilityDate: "2026-10-01",
          compatibilityFlags: ["nodejs_compat"],
          bindings: { STEPS_URL: `http://127.0.0.1:${port}/holdfast`, STEPS_KEY: KEY },
          durableObjects: {
            WORKFLOW_RUN_DO: { className: "WorkflowRunDO", useSQLite: true },
            RUN_INDEX_DO: { className: "RunIndexDO", useSQLite: true },
            COORDINATOR_DO: { className: "CoordinatorDO", useSQLite: true },
          },
        },
      ],
    }),
  );
  ends.push(() => runtime.dispose());
  return (await runtime.ready).origin;
}

async function startSteps(port: number): Promise<ChildProcess> {
  const steps = fork(join(import.meta.dirname, "../src/soak/limits/remote-process.ts"), [String(port), KEY]);
  ends.push(() => steps.kill("SIGKILL"));
  await once(steps, "message");
  return steps;
}

async function ask<T>(url: string, json?: object): Promise<T> {
  const body = json === undefined ? {} : { method: "POST", body: JSON.stringify(json) };
  const answer = await fetch(url, { ...body, headers: { "Content-Type": "application/json" } });
  return (await answer.json()) as T;
}

test("L1 L9 runs that are triggered while the step handler is down begin with its limits: no two execute at the same time", async () => {
  const port = await findFreePort();
  const origin = await startWorkerd(port);
  const read = (id: string) => ask<{ status: string; why: { code: string }[] }>(`${origin}/api/runs/${id}`);
  for (const runId of RUNS)
    expect(await ask(`${origin}/api/runs`, { runId, workflowId: "one" })).toMatchObject({ id: runId });
  await vi.waitFor(async () => {
    for (const id of RUNS)
      expect(await read(id)).toMatchObject({ status: "pending", why: [{ code: "DISPATCH_FAILING" }] });
  });
  const steps = await startSteps(port);
  await vi.waitFor(
    async () => {
      for (const id of RUNS) expect(await read(id)).toMatchObject({ status: "completed", limits: [{ name: "desk" }] });
    },
    { timeout: 90_000, interval: 500 },
  );
  const answer = once(steps, "message");
  steps.send("most");
  expect((await answer)[0]).toEqual({ most: 1 });
}, 150_000);
