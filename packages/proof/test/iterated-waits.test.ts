/** Waits that are awaited and iterated: each delivery is seen once (WAIT2, WAIT5), in runs with flag 4 (REP8). */
import type { MemoryHost } from "@holdfast/workflows/testing";
import type { Wait, WorkflowContext } from "@holdfast/workflows";
import { describe, expect, test } from "vitest";
import { started } from "./run-workflow.ts";

type Use = (wait: Wait<number>, ctx: WorkflowContext) => Promise<unknown>;

/** Returns the next `count` deliveries of a loop over the wait. */
async function take(wait: Wait<number>, count: number): Promise<number[]> {
  const taken: number[] = [];
  for await (const payload of wait) {
    taken.push(payload);
    if (taken.length === count) break;
  }
  return taken;
}

/** Every use gets the deliveries 1, 2, 3 … and must return those that it saw, in order. */
const USES: readonly [title: string, use: Use, seen: unknown][] = [
  ["two loops", async (wait) => [await take(wait, 2), await take(wait, 1)], [[1, 2], [3]]],
  ["an await, then a loop", async (wait) => [await wait, await take(wait, 2)], [1, [2, 3]]],
  ["a loop, then two awaits", async (wait) => [await take(wait, 2), await wait, await wait], [[1, 2], 3, 3]],
  ["two awaits", async (wait) => [await wait, await wait], [1, 1]],
  ["two loops in parallel", (wait) => Promise.all([take(wait, 1), take(wait, 1)]), [[1], [2]]],
  ["an await and a loop in parallel", (wait) => Promise.all([wait.then((n) => n), take(wait, 2)]), [1, [2, 3]]],
  ["a loop that begins before Promise.all awaits", (wait) => Promise.all([wait, take(wait, 2)]), [2, [1, 3]]],
  ["a loop and an await in parallel", (wait) => Promise.all([take(wait, 1), wait]), [[1], 2]],
  ["one iterator by hand", (wait) => byHand(wait), [1, 2]],
  ["a race of the wait with itself", async (wait) => [await Promise.race([wait, wait]), await take(wait, 1)], [1, [2]]],
  [
    "then, catch and finally",
    (wait) => Promise.all([wait.then((n) => n), wait.catch(() => 0), wait.finally()]),
    [1, 1, 1],
  ],
  ["a late use", (wait, ctx) => ctx.sleep("1h").then(() => take(wait, 2)), [1, 2]],
  ["a return from an async function", async (wait) => (await (async () => wait)()) === (await wait), true],
];

async function byHand(wait: Wait<number>): Promise<unknown[]> {
  const iterator = wait[Symbol.asyncIterator]();
  return [(await iterator.next()).value, (await iterator.next()).value];
}

async function delivered(use: Use, kind: "signal" | "event", before: (host: MemoryHost) => void): Promise<unknown> {
  const host = await started((ctx) =>
    use(kind === "signal" ? ctx.waitForSignal<number>("n") : ctx.waitForEvent<number>("n"), ctx),
  );
  for (let payload = 1; payload <= 5 && host.header.status !== "completed"; payload++) {
    before(host);
    host.deliver(kind, "n", payload);
    await host.advance();
  }
  return host.output;
}

describe("one wait object", () => {
  test.each(USES)("WAIT2 WAIT5 each delivery is seen once, live and on replay: %s", async (_title, use, seen) => {
    expect(await delivered(use, "signal", () => {})).toEqual(seen);
    expect(await delivered(use, "event", (host) => host.crash())).toEqual(seen);
  });

  test("WAIT5 a wait is opened by the call, and a loop over it opens no wait that it does not await", async () => {
    const host = await started(async (ctx) => {
      const wait = ctx.waitForSignal<number>("n");
      await ctx.waitForSignal("go");
      return take(wait, 1);
    });
    expect(host.header.waits.map(({ op }) => op)).toEqual(["signal/0/n", "signal/0/go"]);
    host.deliver("signal", "n", 1);
    host.deliver("signal", "go");
    await host.settle();
    expect([host.output, host.journal.filter(({ type }) => type === "wait.opened").length]).toEqual([[1], 2]);
  });

  test("WAIT4 WAIT5 the time-out of an awaited wait does not end a later loop, which waits by itself", async () => {
    const host = await started(async (ctx) => {
      const wait = ctx.waitForSignal<number>("n", { timeout: "1m" });
      const first = await wait;
      const at = ctx.now().getTime();
      return [first, await take(wait, 2), ctx.now().getTime() - at];
    });
    await host.advance();
    expect(host.output).toEqual([null, [], 60_000]);
  });

  test("WAIT7 a token's wait gives its one answer to every await", async () => {
    const host = await started(async (ctx) => {
      const token = ctx.waitForToken({ tokenId: "t" });
      return [await token.wait(), await token.wait(), await Promise.all([token.wait(), token.wait()])];
    });
    host.resolveToken("t", 7);
    await host.settle();
    expect(host.output).toEqual([7, 7, [7, 7]]);
  });

  test("REP8 WAIT2 runs without the flag replay as before: each loop begins with the same delivery", async () => {
    const host = await started(
      async (ctx) => {
        const wait = ctx.waitForSignal<number>("n");
        return [await wait, await take(wait, 2), await take(wait, 1)];
      },
      { tampering: { start: (start) => ({ ...start, flags: [1, 2, 3] }) } },
    );
    host.deliver("signal", "n", 1);
    host.crash();
    host.deliver("signal", "n", 2);
    await host.settle();
    expect(host.output).toEqual([1, [1, 2], [1]]);
  });

  test("REP8 WAIT6 in runs without the flag a pattern that matches nothing opens a wait, as it did", async () => {
    const host = await started((ctx) => ctx.waitForSignal("n", { match: { id: undefined } }), {
      tampering: { start: (start) => ({ ...start, flags: [1, 2] }) },
    });
    expect([host.header.status, host.header.waits.length]).toEqual(["waiting", 1]);
  });
});
