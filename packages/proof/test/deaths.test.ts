/** Processes that die again and again at one place (DUR7, DUR10). */
import type { WorkflowContext } from "@holdfast/workflows";
import { MemoryHost, MemoryStore, VirtualClock } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { workflowOf } from "./run-workflow.ts";

type Body = (ctx: WorkflowContext) => unknown;

/** The parts of a run that dies: `now` and `later` end its process, and lose what is not durable. */
interface Deadly {
  readonly now: () => Promise<never>;
  /** 350 ms later. */
  readonly later: () => Promise<never>;
  readonly deaths: () => number;
}

/** Runs a workflow whose process dies, until the run ends or pauses. */
async function dieAgainAndAgain(body: (deadly: Deadly) => Body): Promise<{ host: MemoryHost; deaths: () => number }> {
  const clock = new VirtualClock();
  const store = new MemoryStore();
  store.losesCommits = true;
  let count = 0;
  const die = (): Promise<never> => {
    count += 1;
    host.crash({ loses: true });
    return new Promise(() => {});
  };
  const deaths = (): number => count;
  const later = (): Promise<never> => new Promise((resolve) => clock.setTimer(350, () => resolve(die())));
  const fn = body({ now: die, later, deaths });
  // The trigger is acknowledged, and so durable, before the first death.
  const workflow = workflowOf((ctx) => ctx.sleep("1s").then(() => fn(ctx)));
  const host: MemoryHost = new MemoryHost({ clock, store, workflows: [workflow] });
  host.trigger("w");
  await host.settle();
  for (let turn = 0; turn < 2_000 && !host.ended && host.header.status !== "paused"; turn++) await host.next();
  return { host, deaths };
}

async function sleeps(ctx: WorkflowContext): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) await ctx.sleep(100);
}

describe("deaths", () => {
  test("DUR10 DUR7 code that ends the process in the turn of its commits is counted: after ten deaths the run is paused", async () => {
    const { host, deaths } = await dieAgainAndAgain(
      ({ now }) =>
        (ctx) =>
          ctx.step("spin", now),
    );
    expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
    expect(deaths()).toBe(10);
  });

  test.each<[string, (deadly: Deadly) => Body]>([
    [
      "a stream",
      ({ now }) =>
        (ctx) =>
          ctx.stream.text("s", async function* chunks() {
            yield "a";
            await now();
          }),
    ],
    [
      "a step beside sleeps",
      ({ later }) =>
        (ctx) =>
          Promise.all([ctx.sleep(100).then(() => ctx.sleep(100)), ctx.step("dies", later)]),
    ],
    [
      "a step beside a loop of sleeps",
      ({ later }) =>
        (ctx) =>
          Promise.all([sleeps(ctx), ctx.step("dies", later)]),
    ],
    [
      "a step beside a step that fails and is retried",
      ({ later }) =>
        (ctx) => {
          const retry = { max: 1_000, initial: 100, backoff: "fixed" } as const;
          return Promise.all([
            ctx.step("fails", { retry }, () => Promise.reject(new Error("x"))),
            ctx.step("dies", later),
          ]);
        },
    ],
    [
      "metadata and a wait that opens",
      ({ later }) =>
        (ctx) => {
          ctx.metadata.increment("n");
          return Promise.all([ctx.waitForSignal("s", { timeout: 100 }), ctx.step("dies", later)]);
        },
    ],
  ])("DUR7 deaths in %s are counted, whatever the execution writes before", async (_what, body) => {
    const { host, deaths } = await dieAgainAndAgain(body);
    expect(host.header).toMatchObject({ status: "paused", error: { code: "EXECUTOR_CRASHED" } });
    expect(deaths()).toBe(10);
  });

  test("DUR7 an execution that completes a step, or parks, starts the count again", async () => {
    const { host, deaths } = await dieAgainAndAgain(({ now, deaths: dead }) => async (ctx) => {
      for (let turn = 0; turn < 3; turn++) {
        await ctx.step("dies nine times", () => (dead() < 9 * (turn + 1) ? now() : turn));
        await ctx.sleep("1s");
      }
    });
    expect([host.header.status, deaths()]).toEqual(["completed", 27]);
  });
});
