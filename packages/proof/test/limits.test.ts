/** Limits in a world of many runs: the real runs and the real gates, in memory. */
import { type DeclaredLimit, type Workflow, limit, workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

/** Runs of one world, and what their bodies did. */
class Runs {
  readonly order: string[] = [];
  most = 0;
  #executing = 0;
  readonly hosts: MemoryHost[] = [];
  readonly #world = new Map<string, MemoryHost>();
  readonly #options: Omit<MemoryHostOptions, "world" | "runId" | "clock">;

  constructor(workflows: (runs: Runs) => Workflow[], options: Partial<MemoryHostOptions> = {}) {
    this.#options = { ...options, workflows: workflows(this) };
  }

  readonly body = (name: string) => async (): Promise<string> => {
    this.#executing += 1;
    this.most = Math.max(this.most, this.#executing);
    this.order.push(name);
    await Promise.resolve();
    this.#executing -= 1;
    return name;
  };

  start(runId: string, workflowId: string, input: unknown = runId, more: object = {}): MemoryHost {
    const [first] = this.hosts;
    const shared = first === undefined ? {} : { clock: first.clock, coordinators: first.coordinators };
    const host = new MemoryHost({ ...this.#options, ...shared, world: this.#world, runId });
    this.hosts.push(host);
    host.trigger(workflowId, input, more);
    return host;
  }

  async end(): Promise<string[]> {
    for (const host of this.hosts) await host.advance();
    return this.hosts.map(({ header }) => header.status);
  }
}

/** A workflow whose runs each have one step before and one after a sleep. */
const napping = (runs: Runs, limits: DeclaredLimit<unknown>[]): Workflow =>
  workflow({
    id: "nap",
    limits,
    run: async (name: string, ctx) => {
      await ctx.step("before", runs.body(`${name} before`));
      await ctx.sleep("1m");
      await ctx.step("after", runs.body(`${name} after`));
    },
  }) as Workflow;

const two = limit("two", { max: 2 });
const one = limit("one", { max: 1 });

describe("limits in a world of runs", () => {
  test("L1 no more bodies execute than max, and active holds are free while runs sleep", async () => {
    const runs = new Runs((self) => [napping(self, [two])]);
    for (let at = 0; at < 7; at++) runs.start(`r-${at}`, "nap");
    expect(await runs.end()).toEqual(Array.from({ length: 7 }, () => "completed"));
    expect(runs.most).toBeLessThanOrEqual(2);
    expect(runs.order.slice(0, 7).every((name) => name.endsWith("before"))).toBe(true);
  });

  test("L1 L4 holds of mode run last over sleeps, and runs get them in the order of their triggers", async () => {
    const runs = new Runs((self) => [napping(self, [one.hold("run")])]);
    for (let at = 0; at < 4; at++) runs.start(`r-${at}`, "nap");
    await runs.end();
    expect(runs.order).toEqual([0, 1, 2, 3].flatMap((at) => [`r-${at} before`, `r-${at} after`]));
  });

  test("FLOW3 a run of max 1 that invokes itself does not wait for its parent", async () => {
    const runs = new Runs(() => {
      const self: Workflow<number, number> = workflow({
        id: "self",
        limits: [one.hold("run")],
        run: async (depth: number, ctx): Promise<number> => (depth === 0 ? 0 : 1 + (await ctx.invoke(self, depth - 1))),
      });
      return [self];
    });
    const host = runs.start("r", "self", 3);
    expect(await runs.end()).toEqual(["completed"]);
    expect(host.output).toBe(3);
  });

  test("FLOW4 a replaced run undoes its steps and ends cancelled before the newest one starts, and those between never start", async () => {
    const newest = limit("newest", { max: 1, onFull: "replace" });
    const runs = new Runs((self) => [
      workflow({
        id: "w",
        limits: [newest.hold("run")],
        run: async (name: string, ctx) => {
          await ctx.step("do", { compensate: self.body(`${name} undo`) }, self.body(`${name} do`));
          await ctx.sleep("1m");
        },
      }) as Workflow,
    ]);
    await runs.start("a", "w").settle();
    runs.start("b", "w");
    runs.start("c", "w");
    expect(await runs.end()).toEqual(["cancelled", "cancelled", "completed"]);
    expect(runs.order).toEqual(["a do", "a undo", "c do"]);
    expect(runs.hosts.map(({ header }) => header.cancelReason)).toEqual([
      expect.stringContaining("replaced by run"),
      "replaced by run c",
      undefined,
    ]);
  });

  test("FLOW5 a rate admits as many runs in its time as it says, and each starts by its own alarm", async () => {
    const perMinute = limit("rate", { rate: { limit: 2, per: "1m", burst: 1 } });
    const runs = new Runs((self) => [
      workflow({
        id: "w",
        limits: [perMinute],
        run: (name: string, ctx) => ctx.step("do", self.body(name)),
      }) as Workflow,
    ]);
    for (let at = 0; at < 5; at++) runs.start(`r-${at}`, "w");
    await runs.end();
    const began = runs.hosts.map(({ header }) => (header.startedAt ?? 0) - header.createdAt);
    expect(began).toEqual([0, 0, 30_000, 60_000, 90_000]);
  });

  test("L4 a priority is seconds of head start, and groups of a fair limit take turns", async () => {
    const first = limit("first", { max: 1 });
    const turns = limit("turns", { max: 1, fair: { key: "input.group" } });
    const runs = new Runs((self) => [
      workflow({
        id: "urgent",
        limits: [first.hold("run")],
        priority: (input: { name: string; priority: number }) => input.priority,
        run: (input: { name: string; priority: number }, ctx) => ctx.step("do", self.body(input.name)),
      }) as Workflow,
      workflow({
        id: "fair",
        limits: [turns.hold("run")],
        run: (input: { name: string }, ctx) => ctx.step("do", self.body(input.name)),
      }) as Workflow,
    ]);
    for (const [name, priority] of [
      ["a", 0],
      ["b", 0],
      ["c", 60],
    ] as const)
      runs.start(name, "urgent", { name, priority });
    await runs.end();
    expect(runs.order).toEqual(["a", "c", "b"]);
    for (const name of ["x1", "x2", "x3", "y1"]) runs.start(name, "fair", { name, group: name.slice(0, 1) });
    await runs.end();
    expect(runs.order.slice(3)).toEqual(["x1", "x2", "y1", "x3"]);
  });
});
