/** Limits of steps, in a world of many runs in memory. */
import { factsOf, summarizeRun, whyOf } from "@holdfast/orchestrator";
import { limit, workflow } from "@holdfast/workflows";
import type { DeclaredLimit, WorkflowContext } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions, VirtualClock } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

const openai = limit("openai", { max: 2 });
const one = limit("one", { max: 1 });

/** A world whose bodies take virtual time, and count. */
class World {
  readonly clock = new VirtualClock();
  readonly runs = new Map<string, MemoryHost>();
  readonly hosts: MemoryHost[] = [];
  most = 0;
  executing = 0;
  readonly order: string[] = [];
  readonly #options: Omit<MemoryHostOptions, "runId">;

  constructor(
    run: (ctx: WorkflowContext, input: { at: number }) => Promise<unknown>,
    limits: DeclaredLimit<unknown>[] = [],
  ) {
    const made = workflow({ id: "w", limits, run: (input: { at: number }, ctx) => run(ctx, input) });
    this.#options = { world: this.runs, clock: this.clock, workflows: [made] };
  }

  readonly body =
    (name: string, ms = 1_000) =>
    async (): Promise<string> => {
      this.executing += 1;
      this.most = Math.max(this.most, this.executing);
      this.order.push(name);
      await new Promise<void>((resolve) => this.clock.setTimer(ms, resolve));
      this.executing -= 1;
      return name;
    };

  start(at: number): MemoryHost {
    const [first] = this.hosts;
    const shared = first === undefined ? {} : { coordinators: first.coordinators };
    const host = new MemoryHost({ ...this.#options, ...shared, runId: `r-${at}` });
    this.hosts.push(host);
    host.trigger("w", { at });
    return host;
  }

  async advance(ms: number): Promise<void> {
    await this.hosts[0]?.advance(ms);
  }

  statuses(): string[] {
    return this.hosts.map(({ header }) => header.status);
  }

  /** The rows that hold or wait at gates. */
  left(): string[] {
    const rows = [...(this.hosts[0]?.coordinators.values() ?? [])].flatMap(({ store }) => Object.keys(store.dump()));
    return rows.filter((key) => key.startsWith("held/") || key.startsWith("queue/"));
  }
}

describe("limits of steps", () => {
  test("STEP10 no more bodies of a step's limit execute than it has places, in all runs together", async () => {
    const world = new World((ctx, { at }) => ctx.step("ask", { limit: openai }, world.body(`r-${at}`)));
    for (let at = 0; at < 7; at++) world.start(at);
    await world.advance(120_000);
    expect(world.statuses()).toEqual(Array.from({ length: 7 }, () => "completed"));
    expect(world.most).toBe(2);
    expect(world.order).toEqual([0, 1, 2, 3, 4, 5, 6].map((at) => `r-${at}`));
    expect(world.left()).toEqual([]);
  });

  test("STEP10 a run whose step waits for a place is waiting, says why, and holds no process", async () => {
    const world = new World((ctx, { at }) => ctx.step("ask", { limit: one }, world.body(`r-${at}`, 60_000)));
    world.start(0);
    const second = world.start(1);
    await world.advance(10_000);
    expect(second.header.status).toBe("waiting");
    const record = summarizeRun(second.header);
    const facts = factsOf(second.host.state, world.clock.now(), second.host.activity());
    expect(whyOf(facts, { tokenIds: true, stacks: false, failures: true })).toEqual([
      expect.objectContaining({
        code: "WAITING_FOR_LIMIT",
        limit: expect.objectContaining({ name: "one" }),
        for: { kind: "step", occurrence: 0, name: "ask" },
      }),
    ]);
    expect(record.limits).toEqual([
      expect.objectContaining({ name: "one", mode: "step", step: "ask", state: "wanted" }),
    ]);
    await world.advance(600_000);
    expect(world.statuses()).toEqual(["completed", "completed"]);
  });

  test("STEP10 a step gives its place back while it waits for its next attempt", async () => {
    const attempts: string[] = [];
    const world = new World((ctx, { at }) =>
      ctx.step("ask", { limit: one, retry: { max: 2, backoff: "fixed", initial: "1m" } }, async ({ attempt }) => {
        attempts.push(`r-${at} ${attempt}`);
        await world.body(`r-${at}`, 100)();
        if (at === 0 && attempt === 1) throw new Error("not yet");
      }),
    );
    world.start(0);
    world.start(1);
    await world.advance(600_000);
    expect(attempts).toEqual(["r-0 1", "r-1 1", "r-0 2"]);
    expect([world.most, world.left()]).toEqual([1, []]);
  });

  test("STEP10 the key of a limit is that of the run's input, by a path or a function", async () => {
    const byPath = limit("path", { max: 1, key: "input.at" });
    const byFunction = limit<{ at: number }>("function", { max: 1, key: ({ at }) => at % 2 });
    const world = new World(async (ctx, { at }) => {
      await ctx.step("path", { limit: byPath }, world.body(`path ${at}`));
      await ctx.step("function", { limit: byFunction }, world.body(`function ${at}`));
    });
    for (let at = 0; at < 4; at++) world.start(at);
    await world.advance(600_000);
    expect(world.statuses()).toEqual(Array.from({ length: 4 }, () => "completed"));
    const keys = [...(world.hosts[0]?.coordinators.values() ?? [])].map(({ address }) => address.name);
    expect(keys.filter((name) => name.startsWith("path"))).toHaveLength(4);
    expect(keys.filter((name) => name.startsWith("function"))).toHaveLength(2);
    expect(world.most).toBe(4);
  });

  test("STEP10 what is no limit fails its step, and does not pause the run", async () => {
    const seen: unknown[] = [];
    const world = new World(async (ctx) => {
      for (const wrong of ["openai", "", 5, false, null, [], {}]) {
        const asked = ctx.step("ask", { limit: wrong as never }, () => "ran");
        seen.push(await asked.catch((error: unknown) => (error as { code: string }).code));
      }
    });
    world.start(1);
    await world.advance(1_000);
    expect(world.statuses()).toEqual(["completed"]);
    expect(seen).toEqual(Array.from({ length: 7 }, () => "INVALID_ARGUMENT"));
  });

  test("STEP10 a run with more limited steps than it may ask for at the same time executes them all", async () => {
    const wide = limit("wide", { max: 80 });
    const world = new World((ctx) =>
      ctx.parallel(
        Array.from({ length: 120 }, (_, at) => at),
        (at) => ctx.step(`part-${at}`, { limit: wide }, world.body(`part-${at}`)),
      ),
    );
    const host = world.start(0);
    await world.advance(600_000);
    expect([host.header.status, host.header.error]).toEqual(["completed", undefined]);
    expect([world.most, world.order.length, world.left()]).toEqual([50, 120, []]);
  });

  test("STEP10 a step whose run holds the limit itself takes no place of its own", async () => {
    for (const mode of ["run", "active"] as const) {
      const world = new World(
        (ctx, { at }) => ctx.step("ask", { limit: one }, world.body(`r-${at}`)),
        [one.hold(mode)],
      );
      world.start(0);
      world.start(1);
      await world.advance(600_000);
      expect([world.statuses(), world.most, world.left()]).toEqual([["completed", "completed"], 1, []]);
    }
  });

  test("STEP10 a rate spreads the attempts of steps", async () => {
    const slow = limit("slow", { rate: { limit: 1, per: "10s" } });
    const at: number[] = [];
    const world = new World((ctx) => ctx.step("ask", { limit: slow }, () => void at.push(world.clock.now())));
    const from = world.clock.now();
    for (let run = 0; run < 4; run++) world.start(run);
    await world.advance(60_000);
    expect(at.map((time) => Math.round((time - from) / 1_000))).toEqual([0, 10, 20, 30]);
  });

  test("STEP10 FLOW6 runs that hold a limit of their own and want one of a step do not wait for each other", async () => {
    const own = limit("own", { max: 1 });
    for (const mode of ["run", "active"] as const) {
      const world = new World(
        async (ctx, { at }) => {
          for (const name of ["a", "b"]) {
            await ctx.step(name, { limit: one }, world.body(`r-${at} ${name}`));
            await ctx.sleep("1s");
          }
        },
        [own.hold(mode)],
      );
      for (let at = 0; at < 4; at++) world.start(at);
      await world.advance(3_600_000);
      expect([world.statuses(), world.left()]).toEqual([Array.from({ length: 4 }, () => "completed"), []]);
    }
  });
});

describe("limits of steps of runs that are stopped", () => {
  test("STEP10 CAN1 a cancelled run leaves the queue, and one that executes gives its place back", async () => {
    const world = new World((ctx, { at }) => ctx.step("ask", { limit: one }, world.body(`r-${at}`, 60_000)));
    const hosts = [0, 1, 2].map((at) => world.start(at));
    await world.advance(5_000);
    hosts[1]?.cancel("enough");
    hosts[0]?.cancel("enough");
    await world.advance(300_000);
    expect(world.statuses()).toEqual(["cancelled", "cancelled", "completed"]);
    expect([world.order, world.left()]).toEqual([["r-0", "r-2"], []]);
  });

  test("STEP10 WAIT11 a step that loses its race leaves the queue", async () => {
    const world = new World(async (ctx, { at }) => {
      const body = world.body(`r-${at}`, 60_000);
      await ctx.race({ ask: ctx.step("ask", { limit: one }, body), over: ctx.sleep(at === 0 ? "2m" : "5s") });
    });
    world.start(0);
    world.start(1);
    await world.advance(600_000);
    expect([world.statuses(), world.order, world.left()]).toEqual([["completed", "completed"], ["r-0"], []]);
  });

  test("STEP10 CAN4 a paused run gives the places back of steps that do not execute, and asks again afterwards", async () => {
    const world = new World((ctx, { at }) => ctx.step("ask", { limit: one }, world.body(`r-${at}`, 30_000)));
    const hosts = [0, 1, 2].map((at) => world.start(at));
    await world.advance(5_000);
    hosts[1]?.operate("pause");
    await world.advance(100_000);
    expect(world.order).toEqual(["r-0", "r-2"]);
    hosts[1]?.operate("unpause");
    await world.advance(600_000);
    expect([world.statuses(), world.left()]).toEqual([["completed", "completed", "completed"], []]);
  });

  test("L1 CAN4 a paused run keeps the places of a body that executes, whatever else reaches the run", async () => {
    const own = limit("own", { max: 1 });
    const world = new World(
      (ctx, { at }) => ctx.step("ask", { limit: one }, world.body(`r-${at}`, 30_000)),
      [own.hold("active")],
    );
    const host = world.start(0);
    await world.advance(5_000);
    host.operate("pause");
    host.deliver("signal", "other");
    const states = [...(host.header.holds ?? []), ...(host.header.stepHolds ?? [])].map(({ state }) => state);
    expect(states).toEqual(["held", "held"]);
    await world.advance(60_000);
    expect(world.left()).toEqual([]);
    host.operate("unpause");
    await world.advance(60_000);
    expect(host.header.status).toBe("completed");
  });

  test("STEP10 an invalid limit, and one whose key the input lacks, fails the step and names the field", async () => {
    const messages: unknown[] = [];
    const options = [limit("a b\u0001", { max: 1 }), limit("x", {}), limit("x", { max: 1, key: "input.none" })];
    const world = new World(async (ctx) => {
      for (const [at, each] of options.entries())
        await ctx.step(`s-${at}`, { limit: each }, () => 1).catch((error: Error) => messages.push(error.message));
    });
    world.start(0);
    await world.advance(60_000);
    expect(messages).toEqual([
      expect.stringContaining("limit.name"),
      expect.stringContaining("needs max, rate, or both"),
      expect.stringContaining("the input gives undefined"),
    ]);
  });

  test("STEP10 a step with a limit writes eight rows more, two at its gate, and sends two messages", async () => {
    const rowsOf = async (limited: boolean): Promise<number[]> => {
      const world = new World((ctx, { at }) => ctx.step("ask", limited ? { limit: one } : {}, () => at));
      const host = world.start(0);
      await host.settle();
      const stores = [host, ...host.coordinators.values()].map(({ store }) => store.counts);
      return [...stores.map(({ rowsWritten, rowsDeleted }) => rowsWritten + rowsDeleted), host.header.outbox.next - 1];
    };
    expect(await rowsOf(false)).toEqual([3, 0]);
    // At the gate: the header of a key that was idle, the holding, and its deletion.
    expect(await rowsOf(true)).toEqual([11, 3, 2]);
  });

  test("STEP10 a step without a limit writes what it wrote before", async () => {
    const world = new World((ctx, { at }) => ctx.step("ask", () => at));
    const host = world.start(0);
    await world.advance(1_000);
    expect(host.header).not.toHaveProperty("stepHolds");
    expect(host.header.uses ?? []).not.toContain("step holds");
    expect(host.header.outbox.next).toBe(1);
  });
});
