/** Where ctx.random() and ctx.randomUUID() come from (REP4, REP8). */
import { expect, test } from "vitest";
import { finished, started } from "./run-workflow.ts";

/** Draws in a run with this seed and these flags. */
async function drawn(seed: string, flags: readonly number[]): Promise<unknown> {
  const host = await finished(async (ctx) => [ctx.randomUUID(), ctx.random()], {
    tampering: { start: (start) => ({ ...start, flags, seed }) },
  });
  return host.output;
}

test("REP4 values are the keystream of ChaCha20 that the run's seed keys (first vector of RFC 8439, A.1)", async () => {
  // 76 b8 e0 ad a0 f1 3d 90 40 5d 6a e5 53 86 bd 28 | bd d2 19 b8 a0 8d ed 1a, read as little-endian words
  const number = ((0xb819d2bd >>> 5) * 2 ** 26 + (0x1aed8da0 >>> 6)) / 2 ** 53;
  expect(await drawn("0".repeat(32), [1, 2, 3, 4, 8, 9])).toEqual(["ade0b876-903d-41a0-a56a-5d4028bd8653", number]);
});

test("REP4 a run draws more than one piece of the keystream, and every replay draws the same", async () => {
  const draws: number[][] = [];
  const host = await started(async (ctx) => {
    const own: number[] = [];
    draws.push(own);
    for (let each = 0; each < 300; each++) own.push(ctx.random());
    await ctx.sleep("1h");
  });
  host.crash();
  await host.advance(3_600_000);
  const [first = [], second] = draws;
  expect(second).toEqual(first);
  expect(new Set(first).size).toBe(300);
  expect(first.reduce((sum, one) => sum + one, 0) / 300).toBeCloseTo(0.5, 0);
});

test("REP8 REP4 runs without flag 9 draw from the generator with which they began", async () => {
  const xoshiro = ["002e0e87-7fe8-4a35-a85a-5b0bbf98ec03", 0.7265584332834347];
  const host = await finished(
    async (ctx) => {
      const first = ctx.random();
      return [first, ctx.randomUUID(), ctx.random()];
    },
    {
      tampering: {
        start: (start) => ({ ...start, flags: [1, 2, 3, 4, 8], seed: "000102030405060708090a0b0c0d0e0f" }),
      },
    },
  );
  expect(host.output).toEqual([0.4415224652544023, ...xoshiro]);
});
