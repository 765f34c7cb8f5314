/** Workflows that reach limits of the platform. */
import { workflow } from "@holdfast/workflows";

/** The platform's limit of one message, bytes. */
export const RPC_BYTES_MAX = 2 ** 25;

/** Its timers at a time, in one object or request. */
export const TIMERS_MAX = 10_000;

/** Attempts that execute before one of them ends: with the timers of the engine, all but a few. */
const TOGETHER = TIMERS_MAX - 20;

export interface Large {
  readonly steps: number;
  readonly chars: number;
  /** One character, which determines the bytes of each. */
  readonly of: string;
}

/** Its steps end at the same time, so one report has all results but the first. */
export const gathers = workflow({
  id: "gathers",
  run: async ({ steps, chars, of }: Large, ctx) => {
    const names = Array.from({ length: steps }, (_, index) => `step ${index}`);
    const texts = await Promise.all(names.map((name) => ctx.step(name, () => of.repeat(chars))));
    const sent = await ctx.waitForSignal<string>("more");
    return [...texts, sent].map((text) => text.length);
  },
});

/** Its steps execute at the same time, and each has a timer for its time-out. */
export const timed = workflow({
  id: "timed",
  run: async (steps: number, ctx) => {
    let began = 0;
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const names = Array.from({ length: steps }, (_, index) => `step ${index}`);
    const ended = names.map((name) =>
      ctx.step(name, { timeout: "1m", retry: { max: 3, initial: 50, backoff: "fixed" } }, async () => {
        began += 1;
        if (began >= TOGETHER) resolve();
        await all;
      }),
    );
    await Promise.all(ended);
    return steps;
  },
});
