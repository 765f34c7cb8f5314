import { expect, test } from "vitest";
import { finished } from "./run-workflow.ts";

test("LIM1 a loop that appends to metadata fails the run with LIMIT_EXCEEDED", async () => {
  const { header } = await finished(async (ctx) => {
    for (let i = 0; ; i++) {
      ctx.metadata.append("log", `${i}`.padStart(1_000));
      await ctx.step("work", () => i);
    }
  });
  expect(header).toMatchObject({ status: "failed", error: { code: "LIMIT_EXCEEDED" } });
});

test("LIM1 STR1 an endless stream fails the run at the limit of a million chunks", { timeout: 120_000 }, async () => {
  const { header } = await finished((ctx) =>
    ctx.stream.json("endless", function* () {
      for (let n = 0; ; n++) yield n;
    }),
  );
  expect(header).toMatchObject({ status: "failed", error: { code: "LIMIT_EXCEEDED" } });
});
