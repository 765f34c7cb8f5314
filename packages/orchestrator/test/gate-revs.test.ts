/** tests: which declaration of a limit applies while two builds exist, and after a rollback */
import { expect, test } from "vitest";
import { MemoryStore } from "@holdfast/workflows/testing";
import { CoordinatorHost, gateList } from "../src/index.ts";
import { GateWorld } from "./gate-world.ts";

const [R1, R2] = [1_000, 2_000];

/** A build with `rev` whose limit has this max starts a run. */
function start(world: GateWorld, runId: string, rev: number, max: number): string {
  return world.acquire(runId, { settings: { rev, max } }).type;
}

function sync(world: GateWorld, above: number, max: number | undefined, dryRun = false) {
  const declared = max === undefined ? undefined : { max };
  return world.command({ type: "sync", above, until: world.now, declared, dryRun });
}

function maxOf(world: GateWorld): unknown {
  return world.command({ type: "read" })["max"];
}

test("GATE8 the first run of a higher rev applies its max, and the queue gets the places", () => {
  const world = new GateWorld();
  for (const runId of ["a", "b", "c"]) start(world, runId, R1, 1);
  expect(start(world, "d", R2, 3)).toBe("queued");
  expect(world.view).toBe("a b c | d");
  start(world, "e", R1, 1);
  expect(maxOf(world)).toBe(3);
});

test("GATE8 a dry run prints the difference and changes nothing, and a sync applies the served build at once", () => {
  const world = new GateWorld();
  for (const runId of ["a", "b", "c"]) start(world, runId, R2, 1);
  const change = { name: "l", key: "k", change: "changed", rev: R2, applies: { max: 1 }, declares: { max: 2 } };
  expect(sync(world, R1, 2, true)).toEqual(change);
  expect([maxOf(world), world.view]).toEqual([1, "a | b c"]);
  expect(sync(world, R1, 2)).toEqual(change);
  expect([maxOf(world), world.view]).toEqual([2, "a b | c"]);
  expect(sync(world, R1, 2)).toMatchObject({ change: "unchanged", rev: R1 });
});

test("GATE8 after a rollback the runs of the later build do not apply its max again, and the next build does", () => {
  const world = new GateWorld();
  for (const runId of ["a", "b"]) start(world, runId, R2, 5);
  sync(world, R1, 1);
  expect(start(world, "c", R2, 5)).toBe("queued");
  expect(maxOf(world)).toBe(1);
  world.open();
  start(world, "d", R2, 5);
  expect(maxOf(world)).toBe(1);
  start(world, "e", world.now + 1, 4);
  expect([maxOf(world), world.view]).toEqual([4, "a b c d | e"]);
});

test("GATE8 a rollback of a rollback applies again what was void", () => {
  const world = new GateWorld();
  start(world, "a", R2, 5);
  sync(world, R1, 1);
  world.now += 1;
  sync(world, R2, 5);
  expect(maxOf(world)).toBe(5);
  start(world, "b", R1, 1);
  expect(maxOf(world)).toBe(5);
});

test("GATE8 a limit of a step alone keeps its max until the served build brings its own", () => {
  const world = new GateWorld();
  start(world, "a", R2, 5);
  expect(sync(world, R1, undefined)).toMatchObject({ change: "voided" });
  expect(maxOf(world)).toBe(5);
  start(world, "b", R1, 1);
  expect(maxOf(world)).toBe(1);
  expect(sync(world, R1, undefined)).toMatchObject({ change: "undeclared" });
});

/** The gate's question to the list of the deployment is answered by a real list. */
function withList(world: GateWorld): CoordinatorHost {
  const list = new CoordinatorHost({
    machine: gateList,
    self: { kind: "gates", name: "gates", scope: "deployment" },
    store: new MemoryStore(),
    clock: () => world.now,
    send: () => {},
    erase: () => {},
  });
  world.toList = (message) => list.receive(message);
  return list;
}

test("GATE8 a gate that is in no list asks which builds are void, once a minute, and applies the served one", async () => {
  const world = new GateWorld();
  const list = withList(world);
  start(world, "a", R2, 5);
  start(world, "b", R1, 1);
  await Promise.resolve();
  expect([maxOf(world), world.listed.length]).toEqual([5, 1]);
  list.command({ type: "void", above: R1, until: world.now });
  start(world, "c", R1, 1);
  expect(world.listed).toHaveLength(1);
  world.now += 60_000;
  start(world, "d", R1, 1);
  await Promise.resolve();
  expect(maxOf(world)).toBe(1);
  start(world, "e", R2, 5);
  expect(maxOf(world)).toBe(1);
});

test("GATE8 two builds with the same settings, or one build, ask nothing", () => {
  const world = new GateWorld();
  start(world, "a", R2, 5);
  start(world, "b", R2, 5);
  start(world, "c", R1, 5);
  expect(world.listed).toEqual([]);
});

test("GATE8 a gate that is in no list, and whose void builds end in the future, asks when such a build is served", async () => {
  const world = new GateWorld();
  const list = withList(world);
  const settle = (): Promise<void> => Promise.resolve();
  // A clock that is far ahead: the range that the list gives ends there.
  const until = world.now + 1_000_000_000;
  list.command({ type: "void", above: R1, until });
  start(world, "a", R2, 5);
  start(world, "b", R1, 1);
  await settle();
  expect(maxOf(world)).toBe(1);
  // A later build is deployed, and does not apply while it is void.
  world.now += 60_000;
  const r3 = world.now;
  start(world, "c", r3, 4);
  await settle();
  expect(maxOf(world)).toBe(1);
  // A sync of it, with a clock that is right, reaches the list, and not the gate.
  list.command({ type: "void", above: r3, until: world.now });
  const asked = world.listed.length;
  start(world, "d", r3, 4);
  await settle();
  expect([maxOf(world), world.listed.length]).toEqual([1, asked]);
  world.now += 60_000;
  start(world, "e", r3, 4);
  await settle();
  expect(maxOf(world)).toBe(4);
  // The builds before it apply no more, and the one after it does.
  start(world, "f", R1, 1);
  start(world, "g", R2, 5);
  await settle();
  expect(maxOf(world)).toBe(4);
  start(world, "h", world.now, 3);
  expect(maxOf(world)).toBe(3);
});

test("GATE8 an answer that is older than a change of the void builds changes nothing", async () => {
  const world = new GateWorld();
  world.toList = () => ({ type: "acknowledged", answer: { voided: { above: R1, until: R2 } } });
  start(world, "a", R2, 5);
  start(world, "b", R1, 1);
  // The operator is faster than the answer.
  sync(world, R2, 5);
  await Promise.resolve();
  expect(maxOf(world)).toBe(5);
});
