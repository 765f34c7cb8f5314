/** What a resumed run takes over when several parts of its function use one name (RES3). */
import { type Inheritance, planResume } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";
import { FatalError, type WorkflowContext } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { finished, outcomeOf, started, workflowOf } from "./run-workflow.ts";

type Body = Parameters<typeof started>[0];

/** What a body or a wait of a branch has done, in order. */
const did: string[] = [];
let broken = true;
beforeEach(() => {
  did.length = 0;
  broken = true;
});

async function resumeOf(
  parent: MemoryHost,
  body: Body,
  { seeds = {}, from, input, change = (plan) => plan, ...options }: ResumeOptions = {},
): Promise<MemoryHost> {
  const seedResults = Object.entries(seeds).map(([step, value]) => [step, encodeValue(value, step)] as const);
  const plan = planResume(parent.header, parent.journal, { resumeFromStep: from, seedResults });
  if ("type" in plan) throw new Error(plan.message);
  const host = new MemoryHost({
    workflows: [workflowOf(body), ...(options.more ?? [])],
    world: parent.world,
    clock: parent.clock,
    runId: `${parent.runId}+`,
    ...(options.crashAfterCommits === undefined ? {} : { crashAfterCommits: options.crashAfterCommits }),
  });
  host.trigger("w", input, { inherited: change(plan) });
  await host.advance();
  return host;
}

interface ResumeOptions {
  readonly seeds?: Record<string, unknown>;
  readonly from?: string | { readonly name: string; readonly occurrence: number };
  readonly input?: unknown;
  readonly change?: (plan: Inheritance) => Inheritance;
  readonly more?: readonly ReturnType<typeof workflowOf>[];
  readonly crashAfterCommits?: readonly number[];
}

/** The body of a step, which ends after `turns` turns of the event loop. */
const takes =
  (text: string, turns = 0) =>
  async (): Promise<string> => {
    did.push(text);
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    return text;
  };

/** Two branches, of which the first step of one can be compensated, then an operation of one name in both. */
const branches =
  (second: (ctx: WorkflowContext, branch: string) => Promise<unknown>, turns = 0): Body =>
  async (ctx) => {
    const branch = async (name: string): Promise<unknown> => {
      const compensate = name === "A" ? { compensate: () => {} } : {};
      await ctx.step(`first ${name}`, compensate, takes(`first ${name}`, name === "B" ? turns : 0));
      return second(ctx, name);
    };
    const both = await Promise.all([branch("A"), branch("B")]);
    if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
    return both;
  };

const charge = (ctx: WorkflowContext, branch: string): Promise<unknown> =>
  ctx.step("charge", takes(`charge ${branch}`));

describe("one name in several branches", () => {
  test("RES3 each branch of a resumed run gets its own result of a step whose name both use", async () => {
    const body = branches(charge);
    const parent = await finished(body);
    expect(parent.header.error).toMatchObject({ step: "step/0/end" });
    broken = false;
    did.length = 0;
    const child = await resumeOf(parent, body);
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["charge A", "charge B"] });
    expect(did).toEqual(["first A"]);
  });

  test.each([
    ["one name", "charge", "charge"],
    ["names of their own", "charge A", "charge B"],
  ])(
    "RES3 a branch that was late in the parent and would be early in the resumed run gets its own result, with %s",
    async (_names, a, b) => {
      const body = branches((ctx, name) => ctx.step(name === "A" ? a : b, takes(`charge ${name}`)), 5);
      const parent = await finished(body);
      expect(did.slice(0, 3)).toEqual(["first A", "first B", "charge A"]);
      broken = false;
      did.length = 0;
      const child = await resumeOf(parent, body);
      expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["charge A", "charge B"] });
      expect(did).toEqual(["first A"]);
    },
  );

  test("RES3 a branch whose step the parent did not reach executes it, although another branch completed one of its name", async () => {
    const body: Body = async (ctx) => {
      const branch = async (name: string): Promise<unknown> => {
        const compensate = name === "A" ? { compensate: () => {} } : {};
        await ctx.step(`first ${name}`, compensate, takes(`first ${name}`));
        if (name === "B") await ctx.step("gate", () => (broken ? Promise.reject(new FatalError("gate")) : 1));
        return charge(ctx, name);
      };
      return (await Promise.allSettled([branch("A"), branch("B")])).map((one) => {
        if (one.status === "rejected") throw one.reason;
        return one.value;
      });
    };
    const parent = await finished(body);
    expect(did).toEqual(["first A", "first B", "charge A"]);
    broken = false;
    did.length = 0;
    const child = await resumeOf(parent, body);
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["charge A", "charge B"] });
    expect(did.filter((one) => one === "charge B")).toEqual(["charge B"]);
  });

  /** A pool whose items use one name, after an operation from which everything is requested again. */
  const pool =
    (turns: readonly number[], nested = false): Body =>
    async (ctx) => {
      await ctx.stream.text("log", ["start"]);
      const item = (name: string, n: number): Promise<unknown> => ctx.step("same", takes(name, n));
      const all = await ctx.parallel(
        turns,
        (n, index) =>
          nested
            ? ctx.parallel([`${index}a`, `${index}b`, `${index}c`], (name) => item(name, n), { concurrency: 1 })
            : item(String(index), n),
        { concurrency: 2 },
      );
      if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
      return all;
    };

  test.each([
    [[9, 0, 0, 0, 0], false],
    [[0, 9, 4, 0, 2], false],
    [[9, 0, 3, 0, 9, 1], true],
  ])(
    "RES3 each item of a pool gets its own result, whichever item made room for it: after %j turns, nested %s",
    async (turns, nested) => {
      const body = pool(turns, nested);
      const parent = await finished(body);
      const executed = did.length;
      expect(new Set(did).size).toBe(executed);
      broken = false;
      const own = turns.map((_turns, index) =>
        nested ? ["a", "b", "c"].map((part) => `${index}${part}`) : `${index}`,
      );
      for (let crash = 0; crash < 30; crash++) {
        did.length = 0;
        const child = await resumeOf(parent, body, { crashAfterCommits: [crash] });
        expect(outcomeOf(child)).toMatchObject({ status: "completed", output: own });
        expect([crash, did]).toEqual([crash, []]);
        if (crash > 0 && child.crashes === 0) break;
        parent.world.delete(child.runId);
      }
    },
  );

  test("RES3 an item of a pool after a stream that is produced again gets no result of another item", async () => {
    const body: Body = async (ctx) => {
      const same = (text: string) => (): Promise<unknown> => ctx.step("same", takes(text));
      const items = [() => ctx.stream.text("st", ["x"]), () => ctx.sleep(3_000), same("item")];
      const all = await ctx.parallel<() => Promise<unknown>, unknown>(items, (start) => start(), { concurrency: 2 });
      const after = await same("after")();
      if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
      return [all[2], after];
    };
    const parent = await finished(body);
    broken = false;
    expect((await resumeOf(parent, body)).output).toEqual(["item", "after"]);
  });

  test("RES3 each branch gets the delivery that its own wait has taken", async () => {
    const body = branches((ctx) => ctx.waitForSignal("go", { timeout: "1h" }));
    const parent = await started(body);
    await parent.settle();
    for (const name of ["to A", "to B"]) {
      parent.deliver("signal", "go", name);
      await parent.settle();
    }
    await parent.advance();
    broken = false;
    const child = await resumeOf(parent, body);
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["to A", "to B"] });
  });

  test("RES3 each branch gets the output of its own child", async () => {
    const more = [workflowOf((_ctx, input) => (did.push(`child ${input}`), `child ${input}`), {})];
    const kid = { ...more[0], id: "kid" } as never;
    const body = branches((ctx, branch) => ctx.invoke({ id: "kid" }, branch));
    const parent = new MemoryHost({ workflows: [workflowOf(body), kid] });
    parent.trigger("w");
    await parent.advance();
    expect(parent.header.status).not.toBe("completed");
    broken = false;
    did.length = 0;
    const child = await resumeOf(parent, body, { more: [kid] });
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["child A", "child B"] });
    expect(did).toEqual(["first A"]);
  });

  test("RES2 a given result goes to the step to which the parent's journal gives its name", async () => {
    const body = branches(charge);
    const parent = await finished(body);
    broken = false;
    const child = await resumeOf(parent, body, { seeds: { charge: "seeded" } });
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["seeded", "charge B"] });
  });

  test("RES2 a given result goes to its step also if new code requests another step before it", async () => {
    const body: Body = async (ctx) => {
      await ctx.step("first", takes("first"));
      if (!broken) await ctx.step("new", takes("new"));
      const charged = await ctx.step("charge", () =>
        broken ? Promise.reject(new FatalError("no")) : takes("charge")(),
      );
      return [charged, await ctx.step("charge", takes("charge again"))];
    };
    const parent = await finished(body);
    expect(parent.header.error).toMatchObject({ step: "step/0/charge" });
    broken = false;
    did.length = 0;
    const child = await resumeOf(parent, body, { seeds: { charge: "seeded" } });
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["seeded", "charge again"] });
    expect(did).toEqual(["new", "charge again"]);
  });

  test("RES3 a run that is resumed from a resumed run does not exchange results either", async () => {
    const body = branches(charge);
    const parent = await finished(body);
    const second = await resumeOf(parent, body);
    expect(second.header.status).not.toBe("completed");
    broken = false;
    did.length = 0;
    const third = await resumeOf(second, body);
    expect(outcomeOf(third)).toMatchObject({ status: "completed", output: ["charge A", "charge B"] });
    expect(did).toEqual(["first A"]);
  });

  test("RES3 DUR4 a crash at any write of a resumed run changes nothing of what it takes over", async () => {
    const body = branches(charge);
    const parent = await finished(body);
    broken = false;
    for (let at = 1; at < 12; at++) {
      did.length = 0;
      const child = await resumeOf(parent, body, { crashAfterCommits: [at] });
      expect([at, outcomeOf(child)]).toMatchObject([at, { status: "completed", output: ["charge A", "charge B"] }]);
      expect(did.filter((one) => one.startsWith("charge"))).toEqual([]);
      parent.world.delete(child.runId);
    }
  });
});

describe("promises that branches share", () => {
  /** `shared` ends at another time in the resumed run, so its result reaches the other branch first. */
  const body: Body = async (ctx) => {
    const order = broken ? ["A", "shared", "B"] : ["B", "shared", "A"];
    const turns = (name: string): number => order.indexOf(name) * 3;
    const first = (name: string): Promise<unknown> => {
      const compensate = name === "shared" ? { compensate: () => {} } : {};
      return ctx.step(`first ${name}`, compensate, takes(`first ${name}`, turns(name)));
    };
    const shared = ctx.step("start", { compensate: () => {} }, () => 1).then(() => first("shared"));
    const branch = async (name: string): Promise<unknown> => {
      await ctx.step(`start ${name}`, { compensate: () => {} }, () => 1);
      await first(name);
      await shared;
      return charge(ctx, name);
    };
    const both = await Promise.all([branch("A"), branch("B")]);
    if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
    return both;
  };

  test("RES3 branches that wait for one promise get their own results, whichever waits first", async () => {
    const parent = await finished(body);
    broken = false;
    const child = await resumeOf(parent, body);
    expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["charge A", "charge B"] });
  });
});

describe("steps with once", () => {
  test("RES3 DUR3 a once step after the cut whose outcome was lost does not execute again", async () => {
    const body: Body = async (ctx) => {
      await ctx.step("reserve", { compensate: () => {} }, () => 1);
      await Promise.all([
        ctx.step("pay", { once: true }, () => (did.push("pay"), broken ? new Promise(() => {}) : 1)),
        ctx.step("x", () => (broken ? Promise.reject(new FatalError("x")) : 1)),
      ]);
    };
    const parent = await finished(body);
    broken = false;
    const child = await resumeOf(parent, body);
    expect(did).toEqual(["pay"]);
    expect(child.header.error).toMatchObject({ code: "STEP_INTERRUPTED" });
  });

  test("RES3 a once step that may be the one that the parent completed is refused, and a given result replaces it", async () => {
    // The join continues after another outcome than in the parent.
    const body: Body = async (ctx) => {
      await Promise.all([
        ctx.step("a", { compensate: () => {} }, takes("a", broken ? 0 : 3)),
        ctx.step("b", { compensate: () => {} }, takes("b", broken ? 3 : 0)),
      ]);
      const paid = await ctx.step("pay", { once: true }, takes("pay"));
      if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
      return paid;
    };
    const parent = await finished(body);
    broken = false;
    const child = await resumeOf(parent, body);
    expect(did.filter((one) => one === "pay")).toHaveLength(1);
    expect(child.header.error).toMatchObject({
      code: "STEP_INTERRUPTED",
      message: expect.stringContaining("seedResults"),
    });
    const third = await resumeOf(child, body, { seeds: { pay: "given" } });
    expect(outcomeOf(third)).toMatchObject({ status: "completed", output: "given" });
    expect(did.filter((one) => one === "pay")).toHaveLength(1);
  });
});

test("RES3 VER1 of a run that older code stored, only results of unambiguous names are taken over after the cut", async () => {
  const body = branches(async (ctx, branch) => [
    await charge(ctx, branch),
    await ctx.step(`own ${branch}`, takes(`own ${branch}`)),
  ]);
  const parent = await finished(body);
  const { recordsPlaces: _places, ...header } = parent.header;
  parent.store.overwrite("record", header);
  for (const entry of parent.journal) {
    const { after: _after, use: _use, ...older } = entry;
    parent.store.overwrite(`journal/${String(entry.seq).padStart(10, "0")}`, older);
  }
  parent.crash();
  broken = false;
  did.length = 0;
  const child = await resumeOf(parent, body);
  const own = [
    ["charge A", "own A"],
    ["charge B", "own B"],
  ];
  expect(outcomeOf(child)).toMatchObject({ status: "completed", output: own });
  expect(did.toSorted()).toEqual(["charge A", "charge B", "first A"]);
});

describe("the order of a resumed run", () => {
  /** The first branch has a step that executes again; the other branch has the parent's results after that. */
  const body =
    (ms: () => number, clock: () => MemoryHost["clock"]): Body =>
    async (ctx) => {
      const slow = (): Promise<void> => new Promise((resolve) => clock().setTimer(ms(), resolve));
      const first = async (): Promise<unknown> => {
        await ctx.step("slow", { compensate: () => {} }, slow);
        return ctx.step("same", takes("A"));
      };
      const second = async (): Promise<unknown> => {
        await ctx.step("gate", () => new Promise<void>((resolve) => clock().setTimer(20, resolve)));
        const own = await ctx.step("same", takes("B"));
        if (!broken) did.push(`B at ${ctx.now().getTime() - ctx.run.startedAt.getTime()}`);
        return own;
      };
      const both = await Promise.all([first(), second()]);
      if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
      return both;
    };

  test.each([
    [10_000, ["B at 10000"]],
    [90_000, ["B", "B at 30000", "A"]],
  ])(
    "RES3 a branch waits 30 s for a step that executes again and came first in the parent: it takes %i ms",
    async (ms, expected) => {
      let host: MemoryHost | undefined;
      const of = body(
        () => (broken ? 10 : ms),
        () => host?.clock as MemoryHost["clock"],
      );
      host = new MemoryHost({ workflows: [workflowOf(of)] });
      host.trigger("w");
      await host.advance();
      expect(did).toEqual(["A", "B"]);
      broken = false;
      did.length = 0;
      const child = await resumeOf(host, of);
      expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["A", "B"] });
      expect(did).toEqual(expected);
    },
  );
});

test("RES3 VER1 a resumed run that an earlier version stored without the order of outcomes exchanges no results", async () => {
  const body: Body = async (ctx) => {
    const items = ["a", "b", "c", "d"].values();
    const worker = async (name: string): Promise<string[]> => {
      await ctx.step(`start ${name}`, { compensate: () => {} }, takes(name, (name === "B") === broken ? 5 : 0));
      const results: string[] = [];
      for (const item of items) results.push(`${item}=${await ctx.step("work", takes(item))}`);
      return results;
    };
    const all = await Promise.all([worker("A"), worker("B")]);
    if (broken) await ctx.step("end", () => Promise.reject(new FatalError("end")));
    return all.flat().toSorted();
  };
  const parent = await finished(body);
  broken = false;
  const change = ({ lineage, ...plan }: Inheritance): Inheritance => {
    const { order: _order, outcomes = [], silent = [] } = lineage ?? {};
    const older = outcomes.map(({ body: outcome, place: { received: _received, ...place } }) => ({
      body: outcome,
      place,
    }));
    return { ...plan, lineage: { silent, outcomes: older } };
  };
  const child = await resumeOf(parent, body, { change });
  expect(outcomeOf(child)).toMatchObject({ status: "completed", output: ["a=a", "b=b", "c=c", "d=d"] });
});
