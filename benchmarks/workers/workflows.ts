/**
 * The workflows that are measured, the same for every dispatcher.
 *
 * Owns: what a step does here, which is next to nothing: what is measured is the engine.
 */
import { type Workflow, workflow } from "@holdfast/workflows";

/** Steps that a result of usual size comes out of, one after the other. */
const steps = workflow({
  id: "steps",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => ({ i, note: "a result" }));
    return n;
  },
});

/** Steps that take a while, all at once. */
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

/** Steps, and then a wait: a run that is parked, with as long a journal as wanted. */
const waits = workflow({
  id: "waits",
  run: async (n: number, ctx) => {
    for (let i = 0; i < n; i++) await ctx.step("step", () => ({ i, note: "a result" }));
    await ctx.waitForSignal("go");
    return n;
  },
});

export const workflows: readonly Workflow[] = [steps, parallel, waits];

export function sleepFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
