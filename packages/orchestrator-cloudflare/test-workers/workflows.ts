/**
 * Workflows made for the real-workerd suite.
 */
import { FatalError, workflow } from "@holdfast/workflows";

/** What step bodies did, in this isolate. */
export const effects: string[] = [];

export const workflows = [
  workflow({
    id: "sequence",
    run: async (count: number, ctx) => {
      for (let i = 0; i < count; i++) await ctx.step("turn", () => i);
      return count;
    },
  }),
];
export { FatalError };
