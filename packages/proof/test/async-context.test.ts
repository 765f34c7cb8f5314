/** The async context (AsyncLocalStorage) of step bodies, as a tracing library uses it for the active span (STEP8). */
import { AsyncLocalStorage } from "node:async_hooks";
import type { WorkflowContext } from "@holdfast/workflows";
import { expect, test } from "vitest";
import { finished, started } from "./run-workflow.ts";

const span = new AsyncLocalStorage<string>();

const retry = { max: 3, initial: "1m", backoff: "fixed" } as const;

/** Requests steps in spans: each body and compensation returns its span. */
async function spans(ctx: WorkflowContext, seen: string[]): Promise<void> {
  const see = (name: string): number => seen.push(`${name} in ${span.getStore()}`);
  await span.run("retried", () =>
    ctx.step("retried", { retry }, async ({ attempt }) => {
      await Promise.resolve();
      see(`attempt ${attempt}`);
      if (attempt < 3) throw new Error("not yet");
    }),
  );
  await Promise.all(
    ["a", "b"].map((branch) =>
      span.run(branch, async () => {
        await ctx.sleep("1m");
        await ctx.step(`step ${branch}`, { compensate: () => see(`undo ${branch}`) }, () => see(`step ${branch}`));
      }),
    ),
  );
  await span.run("stream", () =>
    ctx.stream("stream", async function* () {
      see("chunk 1");
      yield 1;
      await Promise.resolve();
      see("chunk 2");
      yield 2;
    }),
  );
  await ctx.step("no span", () => see("step"));
  throw new Error("undo all");
}

const SEEN = [
  "attempt 1 in retried",
  "attempt 2 in retried",
  "attempt 3 in retried",
  "step a in a",
  "step b in b",
  "chunk 1 in stream",
  "chunk 2 in stream",
  "step in undefined",
  "undo b in b",
  "undo a in a",
];

test("STEP8 attempts, retries, branches, streams and compensations see the async context of the place that requested the step", async () => {
  const seen: string[] = [];
  const host = await span.run("caller", () => finished((ctx) => span.exit(() => spans(ctx, seen))));
  expect(host.header.status).toBe("compensated");
  expect(seen).toEqual(SEEN);
});

test("STEP8 REP1 after a crash, bodies see the async context of the replay's own call", async () => {
  const seen: string[] = [];
  const host = await started((ctx) => span.run(`call ${ctx.invocationCount}`, () => spans(ctx, seen)));
  host.crash();
  await host.advance();
  expect(host.header.status).toBe("compensated");
  expect(seen.slice(0, 3)).toEqual(["attempt 1 in retried", "attempt 2 in retried", "attempt 3 in retried"]);
  expect(seen.at(7)).toBe("step in call 2");
});

test("STEP8 STEP7 REP4 a body that replaces its async context is still inside its step", async () => {
  const host = await finished((ctx) =>
    span.run("outer", () => ctx.step("nests", () => span.run("inner", () => ctx.step("nested", () => 1)))),
  );
  expect(host.header.error?.code).toBe("NESTED_OPERATION");
});
