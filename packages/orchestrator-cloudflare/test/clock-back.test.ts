/** Requests to a run's object after its clock was set back (WAIT1). */
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import type { StepDispatcher } from "@holdfast/protocol";
import { describing } from "../src/run-object/served-workflows.ts";
import { FakeDeployment } from "./fake-platform.ts";

const sleeper = workflow({ id: "sleeper", run: (_input, ctx) => ctx.sleep("1s") });

test("WAIT1 a read sets a timer again that is further away than its duration, once", async () => {
  let now = Date.UTC(2026, 0, 1);
  const api = new FakeDeployment([sleeper], {}, undefined, { clock: () => now });
  await api.fetch("/api/runs", { json: { workflowId: "sleeper", runId: "r" } });
  const storage = api.storageOf("r");
  await expect.poll(() => storage.alarmAt).toBe(now + 1_000);
  await expect.poll(() => (storage.rows.get("record") as { status: string }).status).toBe("waiting");
  await api.fetch("/api/runs/r");
  const before = storage.writes;
  now -= 3_600_000;
  await api.fetch("/api/runs/r");
  expect(storage.alarmAt).toBe(now + 1_000);
  const after = storage.writes;
  await api.fetch("/api/runs/r");
  expect([after > before, storage.writes]).toEqual([true, after]);
});

test("L9 a step handler that was down before the clock was set back is asked again", async () => {
  let now = Date.UTC(2026, 0, 1);
  let isDown = true;
  const workflows = async (): Promise<object[]> => {
    if (isDown) throw new Error("down");
    return [{ id: "w" }];
  };
  const describe = describing({ workflows } as unknown as StepDispatcher, () => now);
  expect(await describe("w", undefined)).toMatchObject({ error: { code: "DISPATCH_FAILED" } });
  isDown = false;
  now -= 3_600_000;
  expect(await describe("w", undefined)).toEqual({ workflow: { id: "w" } });
});
