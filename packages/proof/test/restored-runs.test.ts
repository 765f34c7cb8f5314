/**
 * Runs that come from a back-up: each is as it was at one moment, and the moments differ.
 */
import { type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { beforeEach, expect, test } from "vitest";
import { type BackUp, type Commit, Recorder, backUp, restore, stepsIn } from "./restored-world.ts";

/** The bodies that executed, as `run step`. */
const bodies: string[] = [];
beforeEach(() => void bodies.splice(0));

const step = <T>(ctx: WorkflowContext, name: string, value: T): Promise<T> =>
  ctx.step(name, () => {
    bodies.push(`${ctx.run.id} ${name}`);
    return value;
  });

const leaf = workflow({
  id: "leaf",
  run: async (n: number, ctx) => {
    const first = await step(ctx, "first", n + 1);
    await ctx.sleep("1m");
    return step(ctx, "second", first + 1);
  },
});

const middle = workflow({
  id: "middle",
  run: async (n: number, ctx) => {
    const before = await step(ctx, "before", n + 1);
    const result = await ctx.invoke(leaf, before);
    return step(ctx, "after", result + 1);
  },
});

const family = workflow({
  id: "family",
  run: async (key: string | null, ctx) => {
    const one = await step(ctx, "one", 1);
    const options = key === null ? {} : { idempotencyKey: key };
    const results = await Promise.all([ctx.invoke(middle, one), ctx.invoke(leaf, 10, options)]);
    await ctx.sleep("1m");
    return step(ctx, "two", results);
  },
});

/** Waits for a child that never ends by itself. */
const patient = workflow({
  id: "patient",
  run: async (_input: unknown, ctx) => {
    await step(ctx, "one", 1);
    return ctx.invoke(endless, null);
  },
});

const endless = workflow({
  id: "endless",
  run: async (_input: unknown, ctx) => {
    await step(ctx, "start", 1);
    return ctx.waitForSignal("never");
  },
});

const racer = workflow({
  id: "racer",
  run: async (_input: unknown, ctx) => {
    const race = { child: ctx.invoke(endless, null), time: ctx.sleep("1m") };
    const won = await ctx.race(race, { cancelLosers: true });
    await ctx.sleep("5m");
    return won;
  },
});

const WORKFLOWS = [family, middle, leaf, patient, endless, racer];

/** Runs a world to its end. Returns its commits. */
async function commitsOf(act: (start: (runId: string) => MemoryHost) => Promise<void>): Promise<readonly Commit[]> {
  const recorder = new Recorder();
  const world = new Map<string, MemoryHost>();
  const [first] = [new MemoryHost({ workflows: WORKFLOWS, world, onCreate: recorder.onCreate, runId: "a" })];
  await act((runId) =>
    runId === "a"
      ? first
      : new MemoryHost({ workflows: WORKFLOWS, world, clock: first.clock, onCreate: recorder.onCreate, runId }),
  );
  return recorder.commits;
}

/** Returns numbers below `n` that look random and are the same in each execution. */
function chooser(seed: number): (n: number) => number {
  let state = seed * 2_654_435_761 + 1;
  return (n) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return state % n;
  };
}

const CHOICES: readonly ((n: number) => number)[] = [
  () => 0,
  (n) => n - 1,
  ...Array.from({ length: 12 }, (_, seed) => chooser(seed)),
];

/** Calls `check` with back-ups of all beginnings, and of many moments of their runs. */
async function forEachBackUp(
  commits: readonly Commit[],
  check: (copies: BackUp, at: number, name: string) => Promise<void>,
): Promise<void> {
  for (let first = 1; first <= commits.length; first++) {
    for (const [place, choose] of CHOICES.entries()) {
      bodies.splice(0);
      await check(backUp(commits, first, choose), commits.at(-1)?.at ?? 0, `after ${first} commits, choice ${place}`);
    }
  }
}

/** All runs have ended, nothing is pending, and no step executed again that had an outcome. */
function expectDone(world: ReadonlyMap<string, MemoryHost>, copies: BackUp, name: string): void {
  const open = [...world.values()].filter((host) => host.triggered && (!host.ended || host.header.outbox.count > 0));
  const again = bodies.filter((body) => stepsIn(copies).has(body));
  expect([name, open.map(({ runId, header }) => `${runId} ${header.status}`), again]).toEqual([name, [], []]);
}

test("DUR14 a family of runs that are of different moments ends with its results, and repeats no durable step", async () => {
  const commits = await commitsOf(async (start) => {
    const root = start("a");
    root.trigger("family", null);
    await root.advance();
  });
  await forEachBackUp(commits, async (copies, at, name) => {
    const world = await restore(copies, WORKFLOWS, { at });
    expectDone(world, copies, name);
    expect([name, world.get("a")?.header.status, world.get("a")?.output]).toEqual([name, "completed", [5, 12]]);
  });
}, 180_000);

test("DUR14 without the visit of each run, some would wait forever", async () => {
  const commits = await commitsOf(async (start) => {
    const root = start("a");
    root.trigger("family", null);
    await root.advance();
  });
  let stuck = 0;
  await forEachBackUp(commits, async (copies, at) => {
    const world = await restore(copies, WORKFLOWS, { at, visits: false });
    if (world.get("a")?.ended === false) stuck += 1;
  });
  expect(stuck).toBeGreaterThan(10);
}, 180_000);

test("DUR14 RUN2 parents that share a child by its key both get its end, whichever of the three is of an earlier moment", async () => {
  const commits = await commitsOf(async (start) => {
    const [one, two] = [start("a"), start("b")];
    one.trigger("family", "shared");
    await one.advance(1_000);
    two.trigger("family", "shared", { runId: "b" });
    await one.advance();
    await two.advance();
  });
  await forEachBackUp(commits, async (copies, at, name) => {
    const world = await restore(copies, WORKFLOWS, { at });
    expectDone(world, copies, name);
    for (const id of ["a", "b"])
      if (copies.has(id)) expect([name, id, world.get(id)?.output]).toEqual([name, id, [5, 12]]);
  });
}, 180_000);

test.each(["cancel", "terminate"] as const)(
  "DUR14 CHILD3 after a %s of the parent, a child of an earlier moment is cancelled too",
  async (action) => {
    const commits = await commitsOf(async (start) => {
      const root = start("a");
      root.trigger("patient");
      await root.advance(60_000);
      root[action]("enough");
      await root.advance();
    });
    const stopped = commits.findIndex(({ rows }) => /"status":"cancelled"/.test(JSON.stringify(rows["record"])));
    await forEachBackUp(commits, async (copies, at, name) => {
      const world = await restore(copies, WORKFLOWS, { at });
      if (!JSON.stringify(copies.get("a")?.["record"]).includes('"status":"cancelled"')) return;
      expectDone(world, copies, name);
    });
    expect(stopped).toBeGreaterThan(0);
  },
  60_000,
);

test("DUR14 WAIT11 a child that lost its race is cancelled, although it is of an earlier moment", async () => {
  const commits = await commitsOf(async (start) => {
    const root = start("a");
    root.trigger("racer");
    await root.advance();
  });
  await forEachBackUp(commits, async (copies, at, name) => {
    const world = await restore(copies, WORKFLOWS, { at });
    expectDone(world, copies, name);
  });
}, 180_000);
