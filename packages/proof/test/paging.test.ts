/** A long journal is read in pages (REP6). */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { PageSize } from "@holdfast/orchestrator";
import type { ExecutionPort, ExecutionStart, JournalEntry } from "@holdfast/protocol";
import { type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";

const PAGE: PageSize = { entries: 10, chars: 1_000_000 };
const OVER_A_PIPE: PageSize = { entries: 100, chars: 1_000_000, takesTime: true };

/** How long a page over a pipe takes, ms. */
const PAGE_MS = 50;

/** Runs a workflow, then loses its memory and continues it. Notes the pages of each execution. */
async function continued(
  run: (ctx: WorkflowContext) => Promise<unknown>,
  pageSize: PageSize | null = PAGE,
): Promise<{ host: MemoryHost; starts: ExecutionStart[]; pages: (readonly JournalEntry[])[] }> {
  const pages: (readonly JournalEntry[])[] = [];
  const starts: ExecutionStart[] = [];
  const made = workflow({ id: "w", run: (_input, ctx) => run(ctx) });
  const executeOn: typeof made.executeOn = (platform, start, port) => {
    starts.push(start);
    const readPage: ExecutionPort["readPage"] = (after) => {
      const page = (port.readPage?.(after) ?? []) as readonly JournalEntry[];
      pages.push(page);
      return pageSize?.takesTime === true ? new Promise((resolve) => setTimeout(resolve, PAGE_MS, page)) : page;
    };
    return made.executeOn(platform, start, { ...port, readPage });
  };
  const host = new MemoryHost({ workflows: [{ ...made, executeOn }], pageSize: pageSize ?? undefined });
  host.trigger("w");
  await host.settle();
  host.crash();
  host.deliver("signal", "go", "went");
  const status = async (): Promise<unknown> => {
    await host.advance();
    return host.header?.status;
  };
  await expect.poll(status, { timeout: 30_000, interval: 5 }).toMatch(/completed|paused/);
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

/** Races each step against `ticks` microtasks, and notes the winners: a page that comes late would change them. */
const races =
  (winners: string[], count: number, ticks: number, late: (step: number) => boolean) =>
  async (ctx: WorkflowContext): Promise<unknown> => {
    winners.length = 0;
    for (let step = 0; step < count; step++) {
      const chain = async (): Promise<string> => {
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
        return "chain";
      };
      const body = (): unknown => (late(step) ? new Promise((resolve) => setImmediate(resolve)) : step);
      const ended = ctx.step("step", body).then(() => "step");
      winners.push(await Promise.race([ended, chain()]));
      await ended;
    }
    return ctx.waitForSignal("go");
  };

test.each([
  ["at once", () => false],
  ["late", () => true],
  ["late now and then", (step: number) => step % 90 === 89],
])(
  "REP2 REP6 pages that take time change no race, when outcomes came %s",
  { timeout: 180_000 },
  async (_name, late) => {
    const [whole, paged]: [string[], string[]] = [[], []];
    await continued(races(whole, 900, 100, late), null);
    const { host, starts, pages } = await continued(races(paged, 900, 100, late), OVER_A_PIPE);
    expect(host.output).toBe("went");
    expect(paged).toEqual(whole);
    expect(whole).toHaveLength(900);
    expect(starts.at(-1)?.journal.length).toBeLessThanOrEqual(258);
    expect(pages.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(258);
  },
);
