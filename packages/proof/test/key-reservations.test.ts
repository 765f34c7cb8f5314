/** tests: the keys of runs with chosen ids, and their erasure, in memory as in a deployment (RUN2, VER3) */
import { RESERVED_KEY, idFromKey } from "@holdfast/orchestrator";
import { workflow } from "@holdfast/workflows";
import { MemoryHost, VirtualClock } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";

const child = workflow({ id: "child", run: (input: number, ctx) => ctx.step("double", () => input * 2) });
const parent = workflow({
  id: "parent",
  run: async (_input, ctx) => {
    try {
      return await ctx.invoke(child, 2, { idempotencyKey: "K" });
    } catch (error) {
      return (error as { cause: { code: string } }).cause.code;
    }
  },
});

const KEY = { idempotencyKey: "K" };
const KEY_OBJECT = idFromKey("K");

/** Runs of one world. */
function newWorld(options: { readonly retentionMs?: number } = {}) {
  const shared = {
    ...options,
    workflows: [child, parent],
    clock: new VirtualClock(),
    world: new Map<string, MemoryHost>(),
  };
  return {
    clock: shared.clock,
    host: (runId: string): MemoryHost => shared.world.get(runId) ?? new MemoryHost({ ...shared, runId }),
  };
}

test("RUN2 a key belongs to the run with a chosen id, for callers and for ctx.invoke, until the run is deleted", async () => {
  const { host } = newWorld();
  const [a, b, p, q] = [host("a"), host("b"), host("p"), host("q")];
  expect(a.trigger("child", 2, KEY)).toEqual({ type: "created" });
  expect(b.trigger("child", 2, KEY)).toMatchObject({ type: "refused", code: "idempotency_conflict" });
  p.trigger("parent");
  await p.advance();
  await a.advance();
  expect(p.output).toBe("IDEMPOTENCY_CONFLICT");
  expect(a.delete()).toEqual({ type: "done" });
  expect(host(KEY_OBJECT).store.get(RESERVED_KEY)).toBeUndefined();
  q.trigger("parent");
  await q.advance();
  expect(q.output).toBe(4);
});

test("RUN2 a rejected trigger leaves its key free", () => {
  const { host } = newWorld();
  expect(host("a").trigger("unknown", 2, KEY)).toMatchObject({ type: "refused" });
  expect(host("b").trigger("child", 2, KEY)).toEqual({ type: "created" });
});

test("RUN2 VER3 the end of a run's retention erases it and frees its key", async () => {
  const { host, clock } = newWorld({ retentionMs: 60_000 });
  const a = host("a");
  a.trigger("child", 2, KEY);
  await a.advance();
  expect(a.store.alarm).toBe((a.header.endedAt ?? 0) + 60_000);
  await a.next();
  expect([a.triggered, a.store.alarm]).toEqual([false, null]);
  expect(host("b").trigger("child", 2, KEY)).toEqual({ type: "created" });
  expect(clock.now()).toBeGreaterThan(60_000);
});
