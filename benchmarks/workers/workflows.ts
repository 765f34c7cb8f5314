/**
 * The measured workflows. They are the same for every dispatcher.
 *
 * Owns: the step bodies. They do almost nothing, because the engine is measured.
 */
import { type Workflow, event, workflow } from "@holdfast/workflows";

/** The work of all compared systems: steps in a row, whose results the function keeps, and then perhaps a wait. */
const work = workflow({
  id: "work",
  run: async ({ n, chars, waits }: { n: number; chars: number; waits: boolean }, ctx) => {
    const results: unknown[] = [];
    for (let i = 0; i < n; i++) results.push(await ctx.step("step", () => resultOf(i, chars)));
    if (waits) await ctx.waitForSignal("go");
    return n;
  },
});

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

/** A stream of `n` chunks that are there at once. */
const stream = workflow({
  id: "stream",
  run: async (n: number, ctx) => {
    await ctx.stream("chunks", () => Array.from({ length: n }, (_, i) => i));
  },
});

const child = workflow({ id: "child", run: async () => "done" });

/** `n` children at once. */
const children = workflow({
  id: "children",
  run: async (n: number, ctx) => {
    await Promise.all(Array.from({ length: n }, () => ctx.invoke(child, undefined)));
  },
});

const news = event<{ readonly key: string }>("news", { key: ({ key }) => key });

/** A wait for an event with the key that is its input. */
const subscriber = workflow({
  id: "subscriber",
  run: async (key: string, ctx) => {
    await ctx.waitForEvent(news, { key });
  },
});

const loops = [stream, child, children, subscriber];

export const workflows: readonly Workflow[] = [work, steps, parallel, waits, ...long, ...loops];

/** The result of a step: a small object, or a text of `chars` characters. */
export function resultOf(i: number, chars: number): object | string {
  return chars === 0 ? { i, note: "a result" } : `${i} ${"x".repeat(chars)}`;
}

/** Answers a message of the floor, which names a step, with the result of the step. */
export function answerOf(message: string): string {
  const { i, chars } = JSON.parse(message) as { readonly i: number; readonly chars: number };
  return JSON.stringify(resultOf(i, chars));
}

export function sleepFor(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
