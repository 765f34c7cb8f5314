/** Runs that wait for each other at limits (L10), in a world of many runs in memory. */
import { limit, workflow } from "@holdfast/workflows";
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost, VirtualClock } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";

const MODES = ["run", "active"] as const;
const a = limit("a", { max: 1 });
const b = limit("b", { max: 1 });

class World {
  readonly clock = new VirtualClock();
  readonly runs = new Map<string, MemoryHost>();
  readonly undone: string[] = [];
  readonly #workflows: readonly Workflow<never, unknown>[];
  #first: MemoryHost | undefined;

  constructor(workflows: readonly Workflow<never, unknown>[]) {
    this.#workflows = workflows;
  }

  readonly body = async (): Promise<void> => new Promise((resolve) => this.clock.setTimer(1_000, resolve));

  start(runId: string, workflowId = runId): MemoryHost {
    const host = new MemoryHost({
      runId,
      world: this.runs,
      clock: this.clock,
      workflows: this.#workflows,
      ...(this.#first === undefined ? {} : { coordinators: this.#first.coordinators }),
    });
    this.#first ??= host;
    host.trigger(workflowId, null);
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

test.each(MODES)("L10 of two runs that hold (%s) what a step of the other wants, the newer one fails and is undone", async (mode) => {
  const made = (id: string, own: typeof a, other: typeof a): Workflow<never, unknown> =>
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
      'Runs wait for each other: this run waits for the limit "a", which run one holds; run one waits for the limit "b", which this run holds. The newest of them ends, so that the others go on.',
  });
  expect(world.undone).toEqual(["two"]);
  expect(world.left()).toEqual([]);
});
