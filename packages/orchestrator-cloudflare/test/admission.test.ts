/** How many runs of an isolate execute when alarms begin executions (DUR13). */
import { workflow } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { Admission } from "../src/run-object/admission.ts";
import { type RunIndex, durableObjectIndex } from "../src/index.ts";
import { FakeDeployment, FakeIndexNamespace } from "./fake-platform.ts";

const NOW = 1_000_000;

test("DUR13 the run that was due first gets the next place, and a place is free when a run no longer executes", () => {
  const admission = new Admission();
  const [a, b, c] = ["a", "b", "c"] as const;
  expect(admission.delayOf(a, NOW - 10, 1, NOW)).toBeUndefined();
  expect(admission.delayOf(b, NOW - 5, 1, NOW)).toBe(250);
  expect(admission.delayOf(c, NOW - 9, 1, NOW)).toBe(250);
  expect(admission.delayOf(b, NOW + 250, 1, NOW)).toBe(500);
  admission.note(a, false, NOW);
  expect(admission.delayOf(b, NOW + 250, 1, NOW)).toBe(250);
  expect(admission.delayOf(c, NOW + 250, 1, NOW)).toBeUndefined();
  admission.note(c, false, NOW);
  expect(admission.delayOf(b, NOW + 250, 1, NOW)).toBeUndefined();
});

test("DUR13 runs that were due at the same time do not wait for each other", () => {
  const admission = new Admission();
  const [a, b, c] = ["a", "b", "c"] as const;
  const ask = (holder: string): number | undefined => admission.delayOf(holder, NOW, 1, NOW);
  expect([a, b, c].map(ask)).toEqual([undefined, 250, 500]);
  admission.note(a, false, NOW);
  expect([c, b].map(ask)).toEqual([250, undefined]);
});

test("DUR13 thousands of runs ask within seconds while executions are short, and rarely while they are long", () => {
  const admission = new Admission();
  const ids = Array.from({ length: 4_200 }, (_none, place) => `run ${place}`);
  const delaysAt = (now: number): (number | undefined)[] => ids.map((id) => admission.delayOf(id, NOW, 200, now));
  const delays = delaysAt(NOW).slice(200);
  expect([delays[0], delays[1], delays[399], delays.at(-1)]).toEqual([3, 5, 1_000, 10_000]);
  const later = NOW + 20_000;
  expect(admission.delayOf("run 200", NOW, 200, later)).toBe(25);
  expect(admission.delayOf("run 4199", NOW, 200, later)).toBe(60_000);
  for (const id of ids.slice(0, 200)) admission.note(id, false, later);
  for (const id of ids.slice(200, 400)) expect(admission.delayOf(id, NOW, 200, later)).toBeUndefined();
  expect(admission.delayOf("run 4199", NOW, 200, later)).toBe(9_500);
});

test("DUR13 delays are at most 60 s, and runs that give no sign lose their place", () => {
  const admission = new Admission();
  const delays = Array.from(
    { length: 1_000 },
    (_none, place) => admission.delayOf(`run ${place}`, NOW + place, 2, NOW) ?? 0,
  );
  expect(delays.slice(0, 6)).toEqual([0, 0, 250, 500, 750, 1_000]);
  expect(Math.max(...delays)).toBe(60_000);
  expect(admission.delayOf("another", NOW, 2, NOW + 100_000)).toBeUndefined();
});

test("DUR13 about 100 runs a second ask if 40,000 wait, and the order of the times when they were due stays", () => {
  const admission = new Admission();
  const count = 40_000;
  const holder = (place: number): string => `run ${place}`;
  // The alarms fire in another order than that of their times.
  const places = Array.from({ length: count }, (_none, at) => (at * 7_919) % count);
  for (let place = 0; place < 200; place++) admission.delayOf(`executes ${place}`, 0, 200, NOW);
  for (const place of places) admission.delayOf(holder(place), NOW - count + place, 200, NOW);
  const later = NOW + 20_000;
  expect(admission.delayOf(holder(count - 1), NOW, 200, later)).toBe(399_990);
  expect([0, 1, 2, 4_000].map((place) => admission.delayOf(holder(place), NOW, 200, later))).toEqual([
    25, 50, 75, 100_025,
  ]);
  for (let place = 0; place < 200; place++) admission.note(`executes ${place}`, false, later);
  expect(admission.delayOf(holder(200), NOW, 200, later)).toBe(25);
  expect(admission.delayOf(holder(199), NOW, 200, later)).toBeUndefined();
});

test("DUR13 a run whose delay is longer than a lease keeps its place in the queue", () => {
  const admission = new Admission();
  admission.delayOf("executes", 0, 1, NOW);
  for (let place = 0; place < 20_000; place++) admission.delayOf(`run ${place}`, NOW + place, 1, NOW);
  expect(admission.delayOf("run 19999", NOW + 19_999, 1, NOW)).toBe(199_990);
  admission.note("executes", true, NOW + 190_000);
  // Runs with shorter delays were silent meanwhile, and no longer count; this one and others did not have to ask yet.
  expect(admission.delayOf("another", NOW + 30_000, 1, NOW + 190_000)).toBe(60_000);
});

test("DUR13 a run whose object leaves memory between its alarms keeps its one place in the queue", async () => {
  let now = NOW;
  const bodies: (() => void)[] = [];
  const hold = workflow({
    id: "hold",
    run: (_input, ctx) => ctx.step("hold", () => new Promise<void>((end) => bodies.push(end))),
  });
  const quick = workflow({ id: "quick", run: () => "done" });
  const deployment = new FakeDeployment([hold, quick], {}, undefined, { clock: () => now, executionsMax: 2 });
  const statusOf = async (id: string): Promise<unknown> =>
    ((await (await deployment.fetch(`/api/runs/${id}`)).json()) as Record<string, unknown>)["status"];
  const ids = Array.from({ length: 10 }, (_none, place) => `r${place}`);
  for (const runId of ["a", "b"]) await deployment.fetch("/api/runs", { json: { workflowId: "hold", runId } });
  for (const runId of ids) await deployment.fetch("/api/runs", { json: { workflowId: "quick", runId, delay: "1s" } });
  const askAll = async (): Promise<void> => {
    for (const runId of ids) {
      deployment.evict(runId);
      if ((deployment.storageOf(runId).alarmAt ?? Infinity) <= now) await deployment.alarm(runId);
    }
  };
  await expect.poll(() => bodies.length).toBe(2);
  for (let minute = 0; minute < 2; minute++, now += 30_000) await askAll();
  for (const end of bodies) end();
  for (const id of ["a", "b"]) await expect.poll(() => statusOf(id)).toBe("completed");
  for (let round = 0; round < 3; round++, now += 10_000) await askAll();
  expect(await Promise.all(ids.map(statusOf))).toEqual(ids.map(() => "completed"));
});

test("DUR13 alarms that find no place commit what is due and begin later, and a delivery begins at once", async () => {
  let now = NOW;
  const bodies = new Map<string, () => void>();
  const held = workflow({
    id: "held",
    run: async (_input, ctx) => {
      await ctx.sleep("1s");
      await ctx.step("hold", () => new Promise<void>((end) => bodies.set(ctx.run.id, end)));
    },
  });
  const first = new FakeDeployment([held], {}, undefined, { clock: () => now, executionsMax: 2 });
  const ids = ["a", "b", "c", "d"];
  for (const runId of ids) await first.fetch("/api/runs", { json: { workflowId: "held", runId } });
  const read = async (id: string): Promise<Record<string, unknown>> =>
    (await (await first.fetch(`/api/runs/${id}`)).json()) as Record<string, unknown>;
  for (const id of ids) await expect.poll(async () => (await read(id))["status"]).toBe("waiting");
  for (const id of ids) first.evict(id);
  now += 10_000;
  for (const id of ids) await first.alarm(id);
  expect([...bodies.keys()]).toEqual(["a", "b"]);
  expect(await read("c")).toMatchObject({ status: "running", invocationCount: 1, dispatch: { failures: 0 } });
  expect([first.storageOf("c").alarmAt, first.storageOf("d").alarmAt]).toEqual([now + 250, now + 500]);
  await first.fetch("/api/runs/d/signals", { json: { name: "any" } });
  await expect.poll(() => bodies.has("d")).toBe(true);
  bodies.get("a")?.();
  bodies.get("b")?.();
  for (const id of ["a", "b"]) await expect.poll(async () => (await read(id))["status"]).toBe("completed");
  now += 250;
  await first.alarm("c");
  await expect.poll(() => bodies.has("c")).toBe(true);
  expect((await read("c"))["dispatch"]).toBeUndefined();
});

test("DUR13 the answer of the index does not begin the execution of a run that waits for a place", async () => {
  // The runs of other tests no longer have places then.
  let now = NOW + 1_000_000;
  const bodies = new Map<string, () => void>();
  const hold = workflow({
    id: "hold",
    run: (_input, ctx) => ctx.step("hold", () => new Promise<void>((end) => bodies.set(ctx.run.id, end))),
  });
  const stored: string[] = [];
  const index = durableObjectIndex({ binding: new FakeIndexNamespace() });
  const upsert: RunIndex["upsert"] = async (row) => {
    await index.upsert(row);
    stored.push(`${row.id} ${row.status}`);
  };
  const runIndex: RunIndex = { upsert, remove: index.remove.bind(index), query: index.query.bind(index) };
  const deployment = new FakeDeployment([hold], {}, undefined, { clock: () => now, executionsMax: 1, runIndex });
  const ids = ["a", "b"];
  for (const runId of ids) await deployment.fetch("/api/runs", { json: { workflowId: "hold", runId, delay: "1s" } });
  now += 10_000;
  for (const runId of ids) await deployment.alarm(runId);
  await expect.poll(() => [...bodies.keys()]).toEqual(["a"]);
  // The index gets a status that lasts for a second.
  now += 1_000;
  for (const runId of ids) await deployment.alarm(runId);
  await expect.poll(() => stored).toContain("b running");
  const answered = async (): Promise<boolean> =>
    [...deployment.storageOf("b").rows.values()].every((row) => !String(row).includes(`"owed"`));
  await expect.poll(answered).toBe(true);
  expect([...bodies.keys()]).toEqual(["a"]);
  bodies.get("a")?.();
  await expect.poll(() => stored).toContain("a completed");
  now += 250;
  await deployment.alarm("b");
  await expect.poll(() => [...bodies.keys()]).toEqual(["a", "b"]);
});
