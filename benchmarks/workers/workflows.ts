/**
 * The measured workflows. They are the same for every dispatcher.
 *
 * Owns: the step bodies. They do almost nothing, because the engine is measured.
 */
import { type Workflow, workflow } from "@holdfast/workflows";

/** Sequential steps with results of a usual size. */
const steps = workflow({
  id: "steps",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => ({ i, note: "a result" }));
    return n;
  },
});

/** Parallel steps that each take `ms`. */
const parallel = workflow({
  id: "parallel",
  run: async ({ n, ms }: { n: number; ms: number }, ctx) => {
    await ctx.parallel(
      Array.from({ length: n }, (_, i) => i),
      (i) => ctx.step(`step-${i}`, () => sleepFor(ms)),
    );
    return n;
  },
});

/** `n` sequential steps and then a wait: a parked run with a journal of any length. */
const waits = workflow({
  id: "waits",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => ({ i, note: "a result" }));
    await ctx.waitForSignal("go");
    return n;
  },
});

/** A journal of `n` steps with `chars` characters each. `paged` and `whole`: how an execution gets it. */
const long = ["paged", "whole"].map((id) =>
  workflow({
    id,
    run: async ({ n, chars }: { n: number; chars: number }, ctx) => {
      for (let i = 0; i < n; i++) await ctx.step("step", () => `${i}${"x".repeat(chars)}`);
      await ctx.waitForSignal("go");
      return n;
    },
  }),
);

export const workflows: readonly Workflow[] = [steps, parallel, waits, ...long];

export function sleepFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
