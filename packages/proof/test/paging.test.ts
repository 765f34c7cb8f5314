/** A long journal is read in pages (REP6). */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ExecutionPort, ExecutionStart, JournalEntry } from "@holdfast/protocol";
import { type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";

const PAGE = { entries: 10, chars: 1_000_000 };

/** Runs a workflow, then loses its memory and continues it. Notes the pages of each execution. */
async function continued(
  run: (ctx: WorkflowContext) => Promise<unknown>,
  pageSize = PAGE,
): Promise<{ host: MemoryHost; starts: ExecutionStart[]; pages: (readonly JournalEntry[])[] }> {
  const pages: (readonly JournalEntry[])[] = [];
  const starts: ExecutionStart[] = [];
  const made = workflow({ id: "w", run: (_input, ctx) => run(ctx) });
  const executeOn: typeof made.executeOn = (platform, start, port) => {
    starts.push(start);
    const readPage: ExecutionPort["readPage"] = (after) => {
      const page = (port.readPage?.(after) ?? []) as readonly JournalEntry[];
      pages.push(page);
      return page;
    };
    return made.executeOn(platform, start, { ...port, readPage });
  };
  const host = new MemoryHost({ workflows: [{ ...made, executeOn }], pageSize });
  host.trigger("w");
  await host.settle();
  host.crash();
  host.deliver("signal", "go", "went");
  await host.advance();
  return { host, starts, pages };
}

const steps =
  (count: number, size = 1) =>
  async (ctx: WorkflowContext): Promise<unknown> => {
    for (let step = 0; step < count; step++) await ctx.step("step", () => "x".repeat(size));
    return ctx.waitForSignal("go");
  };

test("REP6 an execution gets the first page with its start, and reads each further page once", async () => {
  const { host, starts, pages } = await continued(steps(95));
  expect(host.output).toBe("went");
  expect(starts.at(-1)?.journal).toHaveLength(10);
  // 95 steps, the wait and its outcome.
  expect(starts.at(-1)?.more?.lastSeq).toBe(97);
  expect(pages.map((page) => page.length)).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 7]);
});

test("REP6 a page holds a bounded number of characters, and one entry at least", async () => {
  const { host, starts, pages } = await continued(steps(20, 300), { entries: 1_000, chars: 1_000 });
  expect(host.output).toBe("went");
  const held = [starts.at(-1)?.journal ?? [], ...pages].map((page) => JSON.stringify(page).length);
  expect(Math.max(...held)).toBeLessThan(3_000);
  const large = await continued(steps(3, 5_000), { entries: 1_000, chars: 1_000 });
  expect(large.host.output).toBe("went");
});

test("REP6 WAIT7 a token in a later page keeps its id", async () => {
  const ids: string[] = [];
  const { host } = await continued(async (ctx) => {
    for (let step = 0; step < 25; step++) await ctx.step("step", () => step);
    const token = ctx.waitForToken({ timeout: "1h" });
    ids.push(token.tokenId);
    return [await ctx.waitForSignal("go"), await token.wait()];
  });
  expect(host.output).toEqual(["went", null]);
  expect(new Set(ids).size).toBe(1);
});

test("REP5 REP6 code that no longer fits a later page pauses the run, and no body starts", async () => {
  let changed = false;
  const bodies: number[] = [];
  const { host } = await continued(async (ctx) => {
    for (let step = 0; step < 25; step++)
      await ctx.step(changed && step === 22 ? "other" : "step", () => bodies.push(step));
    changed = true;
    return ctx.waitForSignal("go");
  });
  expect(host.header).toMatchObject({ status: "paused", error: { code: "NON_DETERMINISM" } });
  expect(bodies).toHaveLength(25);
});

test("REP6 the engine does not hold the values of steps that the function has dropped", async () => {
  // The flag is set here, because the test runner starts without it.
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const held: number[] = [];
  await continued(async (ctx) => {
    const values: WeakRef<object>[] = [];
    for (let step = 0; step < 50; step++) values.push(new WeakRef(await ctx.step("step", () => ({ step }))));
    // A WeakRef keeps its object until the turn of the event loop ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    held.push(values.filter((one) => one.deref() !== undefined).length);
    return ctx.waitForSignal("go");
  });
  expect(held).toHaveLength(2);
  expect(Math.max(...held)).toBeLessThan(10);
});
