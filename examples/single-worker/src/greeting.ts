/** A workflow that greets, waits, and greets again. */
import { workflow } from "@holdfast/workflows";

export const greeting = workflow({
  id: "greeting",
  run: async (input: { name: string; afterMs?: number }, ctx) => {
    const hello = await ctx.step("hello", () => `Hello, ${input.name}.`);
    await ctx.sleep(input.afterMs ?? "1m");
    const again = await ctx.step("again", () => `Still there, ${input.name}?`);
    return [hello, again];
  },
});
