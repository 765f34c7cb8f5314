/** Workflows that the tests of the HTTP API trigger. */
import { workflow } from "@holdfast/workflows";

export const bodies: string[] = [];

export const workflows = [
  workflow({
    id: "approve",
    tags: ["money"],
    description: "Waits for an approval.",
    run: async (input: { amount: number }, ctx) => {
      await ctx.step("check", () => bodies.push("check"));
      const approval = await ctx.waitForSignal("approval", { timeout: "1h" });
      return { amount: input.amount, approval };
    },
  }),
  workflow({ id: "token", run: (_input, ctx) => ctx.waitForToken({ tokenId: "t/1%" }).wait() }),
  workflow({
    id: "fails",
    run: (_input, ctx) => ctx.step("bad", { retry: { max: 1 } }, () => Promise.reject(new Error("no"))),
  }),
];
