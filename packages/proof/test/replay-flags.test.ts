import { planResume } from "@holdfast/orchestrator";
import { NEWEST_FLAGS, type ReplayChanges } from "@holdfast/protocol";
import { type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions, MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";

/** A flag that no release has. It gives a plain sequence more microtasks. */
const LATER = 900;
const changes: ReplayChanges = {
  ...Object.fromEntries(NEWEST_FLAGS.map((flag) => [flag, {}])),
  [LATER]: { shortTicks: 60 },
};

/** A build without the flag, a build with it, and a build that supports it but gives it to no new run. */
const OLD_BUILD = {};
const NEW_BUILD = { replayFlags: { changes, newest: [...NEWEST_FLAGS, LATER] } };
const BETWEEN = { replayFlags: { changes, newest: NEWEST_FLAGS } };

/** More microtasks than the released profile allows, and fewer than the later profile allows. */
const TICKS = 60;

async function race(ctx: WorkflowContext): Promise<unknown> {
  const won = await Promise.race([ctx.step("a", () => 1).then(() => "step"), microtasks(TICKS)]);
  await ctx.step(`after ${won}`, () => won);
  return [won, await ctx.waitForSignal("go")];
}

async function microtasks(count: number): Promise<string> {
  for (let at = 0; at < count; at++) await Promise.resolve();
  return "microtasks";
}

const raceWorkflow: Workflow = workflow({ id: "race", run: (_input, ctx) => race(ctx) });

async function startedRun(store: MemoryStore, build: Partial<MemoryHostOptions>): Promise<MemoryHost> {
  const host = new MemoryHost({ workflows: [raceWorkflow], store, ...build });
  host.trigger("race");
  await host.settle();
  return host;
}

/** Continues the stored run with another build. */
async function continuedRun(store: MemoryStore, build: Partial<MemoryHostOptions>): Promise<MemoryHost> {
  const host = new MemoryHost({ workflows: [raceWorkflow], store, ...build });
  host.deliver("signal", "go", 1, "d1");
  await host.settle();
  return host;
}

describe("replay flags", () => {
  test("REP8 a new run stores the newest flags when it is created, and no later build changes them", async () => {
    const store = new MemoryStore();
    expect((await startedRun(store, OLD_BUILD)).header.flags).toEqual(NEWEST_FLAGS);
    const host = await continuedRun(store, NEW_BUILD);
    expect([host.header.status, host.header.flags, host.starts[0]?.flags]).toEqual([
      "completed",
      NEWEST_FLAGS,
      NEWEST_FLAGS,
    ]);
  });

  test("REP8 each run replays with the profile of its start, also if a build has several profiles", async () => {
    const [older, newer] = [new MemoryStore(), new MemoryStore()];
    await startedRun(older, OLD_BUILD);
    await startedRun(newer, NEW_BUILD);
    expect((await continuedRun(older, NEW_BUILD)).output).toEqual(["step", 1]);
    expect((await continuedRun(newer, BETWEEN)).output).toEqual(["microtasks", 1]);
  });

  test("REP8 with other flags the race has another winner on replay, and the run is paused", async () => {
    const store = new MemoryStore();
    await startedRun(store, OLD_BUILD);
    const host = await continuedRun(store, {
      ...NEW_BUILD,
      tampering: { start: (start) => ({ ...start, flags: [...NEWEST_FLAGS, LATER] }) },
    });
    expect(host.header).toMatchObject({ status: "paused", error: { code: "NON_DETERMINISM" } });
  });

  test("REP8 WAIT1 a negative duration throws in a run without the flag, as it did, and is no wait in a run with it", async () => {
    const sleeper = workflow({
      id: "sleeper",
      run: async (_input, ctx) => {
        try {
          await ctx.sleep(-1);
        } catch {
          return "threw";
        }
        return "slept";
      },
    });
    for (const [flags, output] of [
      [[1], "threw"],
      [[1, 2], "slept"],
    ] as const) {
      const host = new MemoryHost({ workflows: [sleeper], tampering: { start: (start) => ({ ...start, flags }) } });
      host.trigger("sleeper");
      await host.settle();
      expect([flags, host.output]).toEqual([flags, output]);
    }
  });

  test("REP8 a run whose header has no flags uses profile 0, and its header stays without flags", async () => {
    const store = new MemoryStore();
    const { flags: _flags, ...header } = (await startedRun(store, OLD_BUILD)).header;
    store.overwrite("record", header);
    const host = await continuedRun(store, NEW_BUILD);
    expect([host.output, host.header.flags, host.starts[0] && "flags" in host.starts[0]]).toEqual([
      ["step", 1],
      undefined,
      false,
    ]);
  });

  test("REP8 a run with an unknown flag is paused with the flags in its message, and completes after a newer deployment", async () => {
    const store = new MemoryStore();
    const journal = (await startedRun(store, NEW_BUILD)).journal;
    const host = await continuedRun(store, OLD_BUILD);
    expect(host.header).toMatchObject({
      status: "paused",
      error: {
        code: "PROTOCOL_MISMATCH",
        message: expect.stringContaining(`replay flags ${[...NEWEST_FLAGS, LATER].join(", ")}`),
      },
    });
    expect(host.journal.slice(0, journal.length)).toEqual(journal);
    const newer = new MemoryHost({ workflows: [raceWorkflow], store, clock: host.clock, ...NEW_BUILD });
    newer.operate("retry");
    await newer.settle();
    expect(newer.output).toEqual(["microtasks", 1]);
  });

  test.each([
    ["older", OLD_BUILD, NEWEST_FLAGS],
    ["newer", NEW_BUILD, [...NEWEST_FLAGS, LATER]],
  ])("REP8 RES4 a run that is resumed from an %s run has the flags of that run", async (_which, build, flags) => {
    const parent = await startedRun(new MemoryStore(), build);
    parent.deliver("signal", "go");
    await parent.settle();
    const inherited = planResume(parent.header, parent.journal, { resumeFromStep: "a", seedResults: [] });
    const resumed = new MemoryHost({ ...NEW_BUILD, workflows: [raceWorkflow], world: parent.world, runId: "second" });
    if ("type" in inherited) throw new Error(inherited.message);
    resumed.trigger("race", undefined, { inherited });
    await resumed.settle();
    expect([resumed.header.flags, resumed.starts[0]?.flags]).toEqual([flags, flags]);
  });

  test("REP8 RES4 a run that is resumed from a run without flags has no flags", async () => {
    const parent = await startedRun(new MemoryStore(), OLD_BUILD);
    const { flags: _flags, ...header } = parent.header;
    expect(planResume({ ...header, status: "failed" }, parent.journal, { seedResults: [] })).toMatchObject({
      flags: [],
    });
  });

  test("REP8 a child has the newest flags, independent of its parent's flags", async () => {
    const child: Workflow = workflow({ id: "child", run: () => 1 });
    const parent: Workflow = workflow({
      id: "parent",
      run: async (_input, ctx) => {
        await ctx.waitForSignal("go");
        return ctx.invoke(child, null);
      },
    });
    const [store, workflows] = [new MemoryStore(), [parent, child]];
    new MemoryHost({ workflows, store, ...BETWEEN }).trigger("parent");
    const host = new MemoryHost({ workflows, store, ...NEW_BUILD });
    host.deliver("signal", "go");
    await host.advance();
    const flags = [...host.world.values()].map((one) => one.header.flags);
    expect([host.header.status, flags]).toEqual(["completed", [NEWEST_FLAGS, [...NEWEST_FLAGS, LATER]]]);
  });
});
