/** tests: a gate: what an operator cannot set, and what a gate of the deployment shows */
import { HOST_LIMITS } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { GateWorld, holdOf } from "./gate-world.ts";

test("GATE8 an operator sets no max of a limit that has only a rate: its runs would never give it back", () => {
  const world = new GateWorld({ max: undefined, rate: { limit: 10, perMs: 1_000, burst: 10 } });
  world.command({ type: "override", max: 1, by: "op" });
  for (const runId of ["a", "b"]) expect(world.acquire(runId)).toEqual({ type: "granted" });
  expect(world.command({ type: "override", max: 1, by: "op" })).toEqual({ refused: "not_applicable" });
  expect(world.command({ type: "override", max: null, by: "op" })).toMatchObject({ max: null, held: 0 });
});

test("GATE10 a gate of the deployment names no run of another tenant", () => {
  const world = new GateWorld();
  const of = (runId: string, tenantId: string) => ({ hold: { ...holdOf(runId), tenantId } });
  world.acquire("a", of("a", "t1"));
  expect(world.acquire("b", { ...of("b", "t1"), onFull: "skip" })).toEqual({ type: "skip", holder: "a" });
  expect(world.acquire("c", { ...of("c", "t2"), onFull: "skip" })).toEqual({ type: "skip", holder: "" });
  world.acquire("d", { ...of("d", "t2"), onFull: "replace" });
  expect(world.sent.map(({ to, message }) => [to.tenantId, "by" in message])).toEqual([["t1", false]]);
});

test("L2 a holder is asked soon after the clock was set back, when another run wants to hold", () => {
  const world = new GateWorld();
  world.acquire("a");
  world.advance(60_000);
  world.answer("holds");
  world.now -= 864_000_000;
  world.acquire("b");
  world.advance(60_000);
  expect(world.answer("free")).toMatchObject({ type: "probeHold", hold: { runId: "a" } });
  expect(world.view).toBe("b | ");
});

test("GATE5 after the clock was set back, a rate spreads the next starts from then on", () => {
  const world = new GateWorld({ max: undefined, rate: { limit: 1, perMs: 1_000, burst: 0 } });
  for (const runId of ["a", "b"]) world.acquire(runId);
  world.now -= 86_400_000;
  expect(world.acquire("c")).toEqual({ type: "granted", startAt: world.now + 2_000 });
  expect(world.acquire("d")).toEqual({ type: "granted", startAt: world.now + 3_000 });
});

test("GATE6 at a paused limit with a place a run that replaces cancels no holder", () => {
  const world = new GateWorld({ max: 2 });
  world.acquire("a");
  world.command({ type: "pause", paused: true, by: "op" });
  expect(world.acquire("b", { onFull: "replace" })).toMatchObject({ type: "queued" });
  expect(world.sent).toEqual([]);
  world.command({ type: "pause", paused: false, by: "op" });
  expect(world.view).toBe("a b | ");
});

test("GATE3 a rate reserves as many starts as runs may wait, and drops a further run, but none that has executed", () => {
  const world = new GateWorld({ max: undefined, rate: { limit: 10, perMs: 1_000, burst: 5 } });
  world.acquire("a");
  const header = world.store.get("header") as object;
  const tat = world.now + (HOST_LIMITS.limitQueued + 4) * 100;
  world.store.commit({ puts: new Map([["header", { ...header, tat }]]), deletes: new Set(), alarm: null });
  world.open();
  const startAt = world.now + HOST_LIMITS.limitQueued * 100;
  expect(world.acquire("b")).toEqual({ type: "granted", startAt: startAt - 100 });
  expect(world.acquire("c")).toEqual({ type: "dropped", reason: "queue_full" });
  expect(world.acquire("d", { onFull: "reject" })).toEqual({ type: "full", retryAt: startAt });
  expect(world.acquire("e", { again: true })).toEqual({ type: "granted", startAt });
});

test("GATE5 a limit with only a rate is in the list while starts are reserved", async () => {
  const world = new GateWorld({ max: undefined, rate: { limit: 1, perMs: 1_000, burst: 0 } });
  world.acquire("a");
  expect(world.listed).toEqual([]);
  for (const runId of ["b", "c"]) world.acquire(runId);
  await Promise.resolve();
  expect(world.listed).toMatchObject([{ type: "listed" }]);
  for (let minute = 0; minute < 3; minute++) {
    world.advance(60_000);
    await Promise.resolve();
  }
  const sent = world.listed.map((message) => (message as { readonly type: string }).type);
  expect([...new Set(sent)]).toEqual(["listed", "unlisted"]);
  expect(world.erased).toBe(1);
});
