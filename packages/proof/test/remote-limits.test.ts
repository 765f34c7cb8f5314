/** A limit on real workerd, whose workflow code is in a Node process that cannot be asked when the runs are triggered. */
import { expect, test, vi } from "vitest";
import { RemoteWorld } from "./remote-world.ts";

const RUNS = ["a", "b", "c", "d"];
const LONG = { timeout: 90_000, interval: 500 };

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly runs: readonly Shown[];
  readonly [field: string]: unknown;
}

test("L1 L9 runs that are triggered while the step handler is down begin with its limits: no two execute at the same time", async () => {
  await using world = await RemoteWorld.start();
  const read = (id: string) => world.ask<Shown>(`/api/runs/${id}`);
  for (const runId of RUNS)
    expect(await world.ask("/api/runs", { runId, workflowId: "one" })).toMatchObject({ id: runId });
  await vi.waitFor(async () => {
    for (const id of RUNS)
      expect(await read(id)).toMatchObject({ status: "pending", why: [{ code: "DISPATCH_FAILING" }] });
  });
  await world.startSteps();
  await vi.waitFor(async () => {
    for (const id of RUNS) expect(await read(id)).toMatchObject({ status: "completed", limits: [{ name: "desk" }] });
  }, LONG);
  expect(await world.most()).toBe(1);
}, 150_000);

test("L9 so do children, ticks, runs of events and batches of one, and a cancel by an event reaches a run that was not described", async () => {
  await using world = await RemoteWorld.start();
  const steps = await world.startSteps();
  const read = (id: string) => world.ask<Shown>(`/api/runs/${id}`);
  const trigger = (body: object, key?: string) =>
    world.ask<Shown>("/api/runs", body, key === undefined ? {} : { "Idempotency-Key": key });
  const send = (name: string, id: string) => world.ask("/api/events", { name, id, data: { order: "7" } });
  const pending = async (): Promise<string[]> =>
    (await world.ask<Shown>("/api/runs?status=pending")).runs.map((run) => String(run["workflowId"])).toSorted();

  for (const [runId, workflowId] of [
    ["p", "parent"],
    ["q", "asks"],
    ["holder", "alone"],
  ])
    await trigger({ runId, workflowId });
  await vi.waitFor(async () => {
    for (const id of ["p", "q", "holder"]) expect(await read(id)).toMatchObject({ status: "waiting" });
  }, LONG);
  await world.ask("/api/schedules", { id: "s", cron: "0 0 1 1 *", workflow: "one", input: 1 });

  // The memory of workerd is lost. Only the objects of events read the list before it is hidden.
  await world.startWorkerd();
  await send("unknown", "first");
  steps.send("hide");
  for (const id of ["p", "q"]) await world.ask(`/api/runs/${id}/signals`, { name: "go" });
  const tick = await world.ask<{ runId: string }>("/api/schedules/s/trigger", {});
  expect(await send("paid", "e1")).toMatchObject({ state: "accepted" });
  const row = await trigger({ workflowId: "rows", input: 5 }, "row");
  expect(await trigger({ workflowId: "rows", input: 5 }, "row")).toMatchObject({ id: row.id });
  await trigger({ runId: "o", workflowId: "order", input: { order: "7" } });
  await send("stopped", "e2");
  await vi.waitFor(
    async () => expect(await pending()).toEqual(["alone", "of-event", "one", "one", "one", "order", "rows"]),
    LONG,
  );

  steps.send("show");
  await vi.waitFor(async () => {
    expect(await read("p")).toMatchObject({ status: "completed" });
    expect(await read(tick.runId)).toMatchObject({ status: "completed", limits: [{ name: "desk" }] });
    expect(await read("o")).toMatchObject({ status: "cancelled" });
    expect(await read(row.id)).toMatchObject({ status: "completed", output: [5] });
    expect(await read("q")).toMatchObject({ status: "failed", error: { data: { error: { code: "LIMIT_FULL" } } } });
    const { targets } = await world.ask<{ targets: { runId?: string }[] }>("/api/events/e1");
    const runId = targets.find((target) => target.runId !== undefined)?.runId ?? "";
    expect(await read(runId)).toMatchObject({ status: "completed", limits: [{ name: "desk" }] });
  }, LONG);
  expect(await pending()).toEqual([]);
  expect(await world.most()).toBe(1);
  // The key still stands for the run, although its input is a list now.
  expect(await trigger({ workflowId: "rows", input: 5 }, "row")).toMatchObject({ id: row.id, status: "completed" });
}, 240_000);
