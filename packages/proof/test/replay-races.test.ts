import { describe, expect, test } from "vitest";
import { VirtualClock } from "@holdfast/workflows/testing";
import { outcomeOf, started } from "./run-workflow.ts";

describe("races against pure code", () => {
  test("REP2 pure code between operations may take any number of microtasks while several are open", async () => {
    const clock = new VirtualClock();
    const winners: string[] = [];
    const host = await started(
      async (ctx) => {
        const tidy = async (rows: number[]): Promise<string> => {
          for (const row of rows) await Promise.resolve(row);
          return "fast";
        };
        const slow = ctx.step(
          "slow",
          () => new Promise<string>((resolve) => clock.setTimer(1_000, () => resolve("slow"))),
        );
        const fast = ctx.step("fast", () => Array.from({ length: 300 }, () => 0)).then(tidy);
        const winner = await Promise.race([fast, slow]);
        await slow;
        winners.push(winner);
        await ctx.step(`use ${winner}`, () => 1);
        await ctx.sleep("1s");
        return winner;
      },
      { clock },
    );
    await host.advance(1_500);
    host.crash();
    await host.advance();
    expect([outcomeOf(host), winners]).toMatchObject([{ status: "completed", output: "fast" }, ["fast", "fast"]]);
  });

  test("REP2 a race between a step that takes time and pure code has the same winner on replay", async () => {
    const clock = new VirtualClock();
    const host = await started(
      async (ctx) => {
        const chain = async (): Promise<string> => {
          for (let i = 0; i < 300; i++) await Promise.resolve();
          return "computed";
        };
        const step = ctx.step("slow", () => new Promise<string>((resolve) => clock.setTimer(5, () => resolve("step"))));
        const winner = await Promise.race([step, chain()]);
        await step;
        await ctx.sleep("1s");
        return winner;
      },
      { clock },
    );
    await host.advance(100);
    host.crash();
    await host.advance();
    expect(host.output).toBe("computed");
  });

  test.each([20, 30, 40, 60])(
    "REP2 a race between a step that ends at once and %i microtasks of pure code is the same on replay",
    async (ticks) => {
      const winners: string[] = [];
      const host = await started(async (ctx) => {
        const chain = async (): Promise<string> => {
          for (let i = 0; i < ticks; i++) await Promise.resolve();
          return "computed";
        };
        await ctx.step("before", () => 1);
        winners.push(await Promise.race([ctx.step("at once", async () => "step"), chain()]));
        await ctx.sleep("1s");
      });
      host.crash();
      await host.advance();
      expect(winners).toHaveLength(2);
      expect(winners[1]).toBe(winners[0]);
    },
  );
});
