import { type Inheritance, outcomesOf, planResume, readInput } from "@holdfast/orchestrator";
import { encodeValue } from "@holdfast/protocol";
import { FatalError } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { MemoryHost } from "@holdfast/workflows/testing";
import { finished, outcomeOf, started, workflowOf } from "./run-workflow.ts";

type Body = Parameters<typeof started>[0];
type Request = Parameters<typeof planResume>[2];

function plan(
  parent: MemoryHost,
  resumeFromStep?: Request["resumeFromStep"],
  seeds: Record<string, unknown> = {},
): ReturnType<typeof planResume> {
  const seedResults = Object.entries(seeds).map(([step, value]) => [step, encodeValue(value, step)] as const);
  return planResume(parent.header, parent.journal, { resumeFromStep, seedResults });
}

async function resumed(body: Body, inherited: ReturnType<typeof planResume>, input: string): Promise<MemoryHost> {
  if ("type" in inherited) throw new Error(inherited.message);
  const host = new MemoryHost({ workflows: [workflowOf(body)] });
  host.trigger("w", undefined, { runId: "run-2", input, inherited });
  await host.advance();
  return host;
}

describe("resume", () => {
  const bodies: string[] = [];
  let broken = true;
  const order: Body = async (ctx, input) => {
    const did = (name: string): string => (bodies.push(name), name);
    const caught = await ctx
      .step("optional", { retry: { max: 1 } }, () => Promise.reject(new Error("never mind")))
      .catch(() => "caught");
    const a = await ctx.step("a", () => did("a"));
    const [b, c, d] = await Promise.all([
      ctx.step("b", () => did("b")),
      ctx.step("c", () => {
        did("c");
        if (broken) throw new FatalError("c is broken");
        return "c";
      }),
      ctx.step("d", () => did("d")),
    ]);
    return { input, caught, a, b, c, d, e: await ctx.step("e", () => did("e")), random: ctx.random() };
  };

  async function failedParent(): Promise<MemoryHost> {
    bodies.length = 0;
    broken = true;
    const parent = await finished(order, { input: "original" });
    expect(parent.header.error).toMatchObject({ step: "step/0/c" });
    broken = false;
    return parent;
  }

  test("RES1 a resumed run takes over the journal before the step whose failure ended the parent, and executes the rest", async () => {
    const parent = await failedParent();
    expect(bodies).toEqual(["a", "b", "c", "d"]);
    const child = await resumed(order, plan(parent), readInput(parent.host.state, parent.header));
    expect(child.output).toMatchObject({ input: "original", caught: "caught", a: "a", b: "b", c: "c", d: "d", e: "e" });
    expect(bodies).toEqual(["a", "b", "c", "d", "c", "e"]);
    expect(child.header).toMatchObject({ number: 2, resumedFrom: { runId: "run-1", step: "c" } });
  });

  test("RES1 the parent lists each run that was resumed from it once", async () => {
    const parent = await failedParent();
    for (const runId of ["run-2", "run-3", "run-2"]) parent.host.handle({ type: "noteResumed", runId });
    expect(parent.header.resumedBy).toEqual(["run-2", "run-3"]);
  });

  test("RES1 a resume from a running parent is rejected with parent_not_ended, and an unknown step with the existing steps", async () => {
    const running = await started((ctx) => ctx.waitForSignal("s"));
    expect(plan(running)).toMatchObject({ type: "refused", code: "parent_not_ended" });
    const parent = await failedParent();
    expect(plan(parent, "nonsense")).toMatchObject({
      type: "refused",
      code: "unknown_step",
      message: expect.stringContaining('"optional", "a"'),
    });
    const completed = await finished((ctx) => ctx.step("a", () => 1));
    expect(plan(completed)).toMatchObject({ type: "refused", code: "unknown_step" });
  });

  test("RES1 a run resumed from a cancelled parent continues after the parent's last outcome, and waits again", async () => {
    const body: Body = async (ctx) => [
      await ctx.step("a", () => bodies.push("a")),
      await ctx.waitForSignal("s", { timeout: "1h" }),
    ];
    bodies.length = 0;
    const parent = await started(body);
    parent.cancel();
    await parent.settle();
    const child = await resumed(body, plan(parent), "-1");
    expect(child.output).toEqual([1, null]);
    expect(bodies).toEqual(["a"]);
  });

  test("RES2 seedResults override a step's result or supply one, and its body does not run", async () => {
    const parent = await failedParent();
    const child = await resumed(order, plan(parent, undefined, { a: "A", c: "C" }), "-1");
    expect(child.output).toMatchObject({ a: "A", b: "b", c: "C" });
    expect(bodies).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("RES2 a resume from an unknown parent needs only workflow, step and results", async () => {
    bodies.length = 0;
    broken = false;
    const seedResults = ["optional", "a", "b", "d"].map((step) => [step, encodeValue(`seeded ${step}`, step)] as const);
    const inherited: Inheritance = {
      parentRunId: "elsewhere",
      step: "c",
      number: 2,
      entries: [],
      outcomes: outcomesOf(seedResults),
    };
    const child = await resumed(order, inherited, encodeValue("given", "input"));
    expect(child.output).toMatchObject({ input: "given", a: "seeded a", b: "seeded b", c: "c", d: "seeded d", e: "e" });
    expect(bodies).toEqual(["c", "e"]);
  });

  test("RES3 a resume may replace the input", async () => {
    const parent = await failedParent();
    const child = await resumed(order, plan(parent), encodeValue("corrected", "input"));
    expect(child.output).toMatchObject({ input: "corrected", a: "a" });
  });

  test.each([
    ["before", ["sibling", "from"]],
    ["after", ["from", "sibling"]],
  ])("RES3 a resumed run keeps the result of a parallel sibling that ended %s the step", async (_when, endsInOrder) => {
    const release = new Map<string, () => void>();
    const ran: string[] = [];
    let hold = true;
    const body: Body = async (ctx) => {
      const slow = (name: string): Promise<string> =>
        ctx.step(name, () => {
          ran.push(name);
          return hold ? new Promise<string>((resolve) => release.set(name, () => resolve(name))) : name;
        });
      const both = await Promise.all([slow("from"), slow("sibling")]);
      await ctx.step("then", () => ran.push("then"));
      throw new FatalError(both.join());
    };
    const parent = await started(body);
    for (const name of endsInOrder) {
      release.get(name)?.();
      await parent.settle();
    }
    hold = false;
    ran.length = 0;
    const child = await resumed(body, plan(parent, "from"), "-1");
    expect(ran).toEqual(["from", "then"]);
    expect(outcomeOf(child)).toMatchObject({ status: "failed", error: "from,sibling" });
  });

  test("RES4 the inherited part replays with the parent's random values and recorded times", async () => {
    const body: Body = async (ctx) => {
      const read = [ctx.now().getTime(), ctx.random()];
      await ctx.step("a", () => 1);
      read.push(ctx.now().getTime(), ctx.random());
      await ctx.step("fails", () => {
        if (broken) throw new FatalError(JSON.stringify(read));
      });
      return read;
    };
    broken = true;
    const parent = await finished(body);
    broken = false;
    const child = await resumed(body, plan(parent), "-1");
    expect(JSON.stringify(child.output)).toBe(parent.header.error?.message);
  });
});
