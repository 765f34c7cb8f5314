/** A workflow whose messages are larger than Workers RPC takes. */
import { workflow } from "@holdfast/workflows";

/** The platform's limit of one message, bytes. */
export const RPC_BYTES_MAX = 2 ** 25;

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
