/** The progress of step bodies: what is shown, when, and what is stored (STEP8). */
import type { StepInProgress } from "@holdfast/protocol";
import { type StepContext, workflow } from "@holdfast/workflows";
import { type MemoryHost, testWorkflow } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import { finished, started } from "./run-workflow.ts";

/** Starts a run whose only step calls `begin` and executes until `end` is called. */
async function executing(): Promise<{ host: MemoryHost; step: StepContext; end: () => void }> {
  const given = Promise.withResolvers<StepContext>();
  const ended = Promise.withResolvers<void>();
  const host = await started((ctx) =>
    ctx.step("long", (step) => {
      given.resolve(step);
      return ended.promise;
    }),
  );
  return { host, step: await given.promise, end: () => ended.resolve() };
}

function shown({ host }: MemoryHost): readonly (string | undefined)[] {
  return host.stepsInProgress().map(({ progress }: StepInProgress) => progress);
}

describe("progress of an executing body", () => {
  test("STEP8 is shown at once, then at most once a second, the newest value first, and is not journaled", async () => {
    const { host, step, end } = await executing();
    expect(shown(host)).toEqual([undefined]);
    step.progress(1);
    step.progress(2);
    step.progress({ done: 3 });
    expect(shown(host)).toEqual(["[1]"]);
    await host.advance(999);
    expect(shown(host)).toEqual(["[1]"]);
    await host.advance(1);
    expect(shown(host)).toEqual(['[{"done":1},3]']);
    expect(host.journal).toEqual([]);
    end();
    await host.settle();
    expect(host.journal).toMatchObject([{ type: "step.completed", progress: '[{"done":1},3]' }]);
  });

  test("STEP8 is stored in the entry of its own attempt, the last value of each", async () => {
    const host = await finished((ctx) =>
      ctx.step("thrice", { retry: { max: 3 } }, ({ attempt, progress }) => {
        if (attempt === 2) throw new Error("without progress");
        for (let i = 0; i < 5; i++) progress(`${attempt}.${i}`);
        if (attempt === 1) throw new Error("not yet");
      }),
    );
    expect(host.journal.map((entry) => [entry.type, "progress" in entry ? entry.progress : undefined])).toEqual([
      ["step.retrying", '["1.4"]'],
      ["step.retrying", undefined],
      ["step.completed", '["3.4"]'],
    ]);
    const failed = await finished((ctx) =>
      ctx.step("fails", { retry: { max: 1 } }, ({ progress }) => {
        progress("half");
        throw new Error("no");
      }),
    );
    expect(failed.journal).toMatchObject([{ type: "step.failed", progress: '["half"]' }]);
  });

  test("STEP8 never throws into the body: values that are too large or cannot be stored are dropped with a line in the log", async () => {
    const host = await finished((ctx) =>
      ctx.step("odd", ({ progress }) => {
        const hostile = new Proxy({}, { ownKeys: () => expect.fail("read") });
        const answers: unknown[] = [progress("kept")];
        for (const value of [() => 1, Symbol("s"), hostile, "x".repeat(4_095)]) answers.push(progress(value));
        return answers;
      }),
    );
    expect(host.output).toEqual([undefined, undefined, undefined, undefined, undefined]);
    expect(host.journal).toMatchObject([{ type: "step.completed", progress: '["kept"]' }]);
    expect(host.logged).toHaveLength(4);
    for (const line of host.logged)
      expect(line).toMatchObject({ level: "warn", message: expect.stringMatching(/"odd".*dropped/s) });
  });

  test("STEP8 is ignored after the end of the attempt, and after a time-out", async () => {
    let late: StepContext["progress"] = () => {};
    const host = await started((ctx) =>
      ctx.step("slow", { timeout: "1m", retry: { max: 1 } }, ({ progress }) => {
        late = progress;
        progress("before");
        return new Promise(() => {});
      }),
    );
    await host.advance();
    late("after");
    expect(host.journal).toMatchObject([{ type: "step.failed", progress: '["before"]' }]);
    expect(shown(host)).toEqual([]);
  });

  test("STEP8 leaves no timer when the body ends", async () => {
    const { host, step, end } = await executing();
    step.progress(1);
    step.progress(2);
    end();
    await host.settle();
    const before = host.clock.now();
    await host.advance();
    expect(host.clock.now()).toBe(before);
  });

  test("STEP8 is shown by testWorkflow, per step", async () => {
    const copies = workflow({
      id: "copies",
      run: async (_input: null, ctx) => {
        await ctx.step("a", ({ progress }) => progress({ percent: 50 }));
        await ctx.step("b", () => 1);
      },
    });
    const { steps } = await testWorkflow(copies, null, { crashEverywhere: true });
    expect(steps.map(({ name, progress }) => [name, progress])).toEqual([
      ["a", { percent: 50 }],
      ["b", undefined],
    ]);
  });
});

test("STEP7 STEP8 a change of metadata inside a body is rejected, and the message names progress", async () => {
  for (const change of ["set", "increment", "append", "remove"] as const) {
    const host = await finished((ctx) => ctx.step("counts", () => ctx.metadata[change]("percent", 50)));
    expect(host.header.error).toMatchObject({ code: "NESTED_OPERATION" });
    expect(host.header.error?.message).toContain(`ctx.metadata.${change} was called inside step "counts"`);
    expect(host.header.error?.message).toContain("call progress(value)");
  }
});
