/** Runs that wait for each other at limits (L10), in a world of many runs in memory. */
import { limit, workflow } from "@holdfast/workflows";
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions, VirtualClock } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";

type Workflows = MemoryHostOptions["workflows"];

const MODES = ["run", "active"] as const;
const a = limit("a", { max: 1 });
const b = limit("b", { max: 1 });

class World {
  readonly clock = new VirtualClock();
  readonly runs = new Map<string, MemoryHost>();
  readonly undone: string[] = [];
  /** How often a run was asked what it waits for. */
  questions = 0;
  readonly #workflows: Workflows;
  #first: MemoryHost | undefined;

  constructor(workflows: Workflows) {
    this.#workflows = workflows;
  }

  readonly body = async (): Promise<void> => new Promise((resolve) => this.clock.setTimer(1_000, resolve));

  start(runId: string, workflowId = runId, input: unknown = null): MemoryHost {
    const host = new MemoryHost({
      runId,
      world: this.runs,
      clock: this.clock,
      workflows: this.#workflows,
      tampering: {
        message: (message) => {
          const { type }: { readonly type: string } = message;
          if (type === "probeWaits") this.questions += 1;
          return message;
        },
      },
      ...(this.#first === undefined ? {} : { coordinators: this.#first.coordinators }),
    });
    this.#first ??= host;
    host.trigger(workflowId, input);
    return host;
  }

  async advance(ms: number): Promise<void> {
    await this.#first?.advance(ms);
  }

  left(): string[] {
    const rows = [...(this.#first?.coordinators.values() ?? [])].flatMap(({ store }) => Object.keys(store.dump()));
    return rows.filter((key) => key.startsWith("held/") || key.startsWith("queue/"));
  }
}

test.each(MODES)(
  "L10 of two runs that hold (%s) what a step of the other wants, the newer one fails and is undone",
  async (mode) => {
    const made = (id: string, own: typeof a, other: typeof a): Workflow =>
      workflow({
        id,
        limits: [own.hold(mode)],
        run: async (_input: unknown, ctx) => {
          await ctx.step("first", { compensate: async () => void world.undone.push(id) }, world.body);
          return ctx.step("second", { limit: other }, async () => id);
        },
      });
    const world: World = new World([made("one", a, b), made("two", b, a)]);
    const one = world.start("one");
    await world.advance(10);
    const two = world.start("two");
    await world.advance(90_000);
    expect([one.header.status, two.header.status]).toEqual(["completed", "compensated"]);
    expect(two.header.error).toMatchObject({
      code: "LIMIT_DEADLOCK",
      message:
        'Runs wait for each other: this run waits for the limit "a", which run one holds; run one waits for the limit "b", which this run holds. The newest of them ends, so that the others continue.',
    });
    expect(world.undone).toEqual(["two"]);
    expect(world.left()).toEqual([]);
  },
);

/** Workflows that hold a limit and want another one in a step, as pairs of limits. */
function crossing(world: () => World, pairs: Readonly<Record<string, readonly [typeof a, typeof a]>>): Workflow[] {
  return Object.entries(pairs).map(([id, [own, other]]) =>
    workflow({
      id,
      limits: [own.hold("run")],
      run: async (_input: unknown, ctx) => {
        await ctx.step("first", () => world().body());
        return ctx.step("second", { limit: other }, async () => id);
      },
    }),
  );
}

const codes = (world: World): string[] =>
  [...world.runs.values()].map(({ header: { id, status, error } }) => `${id} ${error?.code ?? status}`);

test("L10 of three runs in a circle the newest one fails", async () => {
  const c = limit("c", { max: 1 });
  const world: World = new World(crossing(() => world, { one: [a, b], two: [b, c], three: [c, a] }));
  for (const id of ["two", "three", "one"]) {
    world.start(id);
    await world.advance(1);
  }
  await world.advance(90_000);
  expect(codes(world).toSorted()).toEqual(["one LIMIT_DEADLOCK", "three completed", "two completed"]);
});

test("L10 runs created in the same millisecond agree which one fails", async () => {
  const world: World = new World(crossing(() => world, { one: [a, b], two: [b, a] }));
  for (const id of ["one", "two"]) world.start(id);
  await world.advance(90_000);
  expect(codes(world)).toEqual(["one completed", "two LIMIT_DEADLOCK"]);
});

test("L10 a run that waits for a circle and is no part of it continues after it", async () => {
  const c = limit("c", { max: 1 });
  const world: World = new World(crossing(() => world, { one: [a, b], two: [b, a], outside: [c, a] }));
  for (const id of ["one", "two", "outside"]) {
    world.start(id);
    await world.advance(1);
  }
  await world.advance(90_000);
  expect(codes(world)).toEqual(["one completed", "two LIMIT_DEADLOCK", "outside completed"]);
});

test("L10 with several places, runs wait for each other only if no holder can continue", async () => {
  const many = limit("many", { max: 2 });
  const holder = workflow({
    id: "holder",
    limits: [many.hold("run")],
    run: async (_input: unknown, ctx) => ctx.sleep("10m"),
  });
  const world: World = new World([...crossing(() => world, { one: [many, b], two: [b, many] }), holder]);
  for (const id of ["holder", "one", "two"]) {
    world.start(id);
    await world.advance(1);
  }
  await world.advance(9 * 60_000);
  expect(codes(world)).toEqual(["holder waiting", "one waiting", "two waiting"]);
  await world.advance(2 * 60_000);
  expect(codes(world)).toEqual(["holder completed", "one completed", "two completed"]);
});

test.each([1, 20])("L10 %i children that want what runs of the other family hold are found too", async (count) => {
  const leaf = (id: string, own: typeof a): Workflow =>
    workflow({ id, limits: [own.hold("run")], run: async () => id });
  const [leafA, leafB] = [leaf("leafA", a), leaf("leafB", b)];
  const root = (id: string, own: typeof a, child: Workflow): Workflow =>
    workflow({
      id,
      limits: [own.hold("run")],
      run: async (_input: unknown, ctx) => {
        await ctx.step("first", () => world.body());
        return Promise.all(Array.from({ length: count }, () => ctx.invoke(child, null)));
      },
    });
  const world: World = new World([leafA, leafB, root("one", a, leafB), root("two", b, leafA)]);
  for (const id of ["one", "two"]) world.start(id);
  await world.advance(90_000);
  const ended = codes(world).toSorted();
  expect(ended).toHaveLength(2 + 2 * count);
  expect(ended.filter((line) => line.endsWith("completed"))).toHaveLength(1 + count);
  expect(ended.filter((line) => line.endsWith("LIMIT_DEADLOCK"))).toHaveLength(1);
  expect(ended.filter((line) => line.endsWith("CANCELLED"))).toHaveLength(count - 1);
  expect(ended.filter((line) => line.endsWith("CHILD_RUN_FAILED"))).toHaveLength(1);
  expect(world.left()).toEqual([]);
});

test("L10 a paused run is waited for, and the circle is found when it continues", async () => {
  const world: World = new World(crossing(() => world, { one: [a, b], two: [b, a] }));
  const [one] = ["one", "two"].map((id) => world.start(id));
  one?.operate("pause");
  await world.advance(30 * 60_000);
  expect(codes(world)).toEqual(["one paused", "two waiting"]);
  one?.operate("unpause");
  await world.advance(12 * 60_000);
  expect(codes(world)).toEqual(["one completed", "two LIMIT_DEADLOCK"]);
});

test("L10 runs whose keys cross at one limit are found", async () => {
  const keyed = limit<{ own: string; other: string }>("keyed", { max: 1, key: (input) => input.own });
  const other = limit<{ own: string; other: string }>("keyed", { max: 1, key: (input) => input.other });
  const made = workflow({
    id: "made",
    limits: [keyed.hold("run")],
    run: async (_input: { own: string; other: string }, ctx) => {
      await ctx.step("first", () => world.body());
      return ctx.step("second", { limit: other }, async () => "done");
    },
  });
  const world: World = new World([made]);
  world.start("one", "made", { own: "x", other: "y" });
  world.start("two", "made", { own: "y", other: "x" });
  await world.advance(90_000);
  expect(codes(world)).toEqual(["one completed", "two LIMIT_DEADLOCK"]);
});

test.each(["signal", "sleep", "body"])("L10 a holder that waits for a %s is no part of a deadlock", async (what) => {
  const holder = workflow({
    id: "holder",
    limits: [a.hold("run")],
    run: async (_input: unknown, ctx) =>
      ctx.parallel(["limited", what], async (part) => {
        if (part === "limited") return ctx.step("limited", { limit: b }, async () => "done");
        if (part === "signal") return ctx.waitForSignal("go");
        if (part === "sleep") return ctx.sleep("8m");
        return ctx.step("body", async () => new Promise<void>((resolve) => world.clock.setTimer(480_000, resolve)));
      }),
  });
  const world: World = new World([...crossing(() => world, { two: [b, a] }), holder]);
  const two = world.start("two");
  const one = world.start("holder");
  await world.advance(7 * 60_000);
  expect(two.header.status).toBe("waiting");
  expect(one.header.error).toBeUndefined();
  if (what === "signal") one.deliver("signal", "go", null);
  await world.advance(10 * 60_000);
  expect(codes(world)).toEqual(["two LIMIT_DEADLOCK", "holder completed"]);
});

test("L10 the steps of a run that wait search once for all of them", async () => {
  const holder = workflow({
    id: "holder",
    limits: [b.hold("run")],
    run: async (_input: unknown, ctx) =>
      ctx.step("body", async () => new Promise<void>((resolve) => world.clock.setTimer(3_600_000, resolve))),
  });
  const wide = workflow({
    id: "wide",
    limits: [a.hold("run")],
    run: async (_input: unknown, ctx) =>
      ctx.parallel(
        Array.from({ length: 30 }, (_, at) => at),
        async (part) => ctx.step(`part-${part}`, { limit: b }, async () => part),
      ),
  });
  const world: World = new World([holder, wide]);
  world.start("holder");
  await world.advance(1);
  world.start("wide");
  await world.advance(30 * 60_000);
  expect(codes(world)).toEqual(["holder running", "wide waiting"]);
  // Two questions a search: itself, and the holder, which can continue.
  expect(world.questions).toBeGreaterThan(2);
  expect(world.questions).toBeLessThan(30);
});
