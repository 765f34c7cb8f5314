import { describe, expect, test } from "vitest";
import { expiryOf } from "../src/index.ts";
import { Bench } from "./bench.ts";

function indexed(): Bench & { readonly indexRows: NonNullable<Bench["indexRows"]> } {
  const bench = new Bench();
  bench.indexRows = [];
  bench.host = bench.newHost();
  return bench as ReturnType<typeof indexed>;
}

const parked = { type: "parked", seq: 1, now: 1_000_000 } as const;
const waits = { type: "wait.opened", op: "signal/0/go", nth: 1 } as const;

describe("index updates", () => {
  test("IDX1 a run sends a row to the index when it is created, when it waits and when it ends", () => {
    const bench = indexed();
    bench.trigger();
    bench.report(waits, parked);
    bench.report({ type: "run.completed", output: "1" });
    expect(bench.indexRows.map(({ row }) => [row.version, row.status])).toEqual([
      [1, "running"],
      [2, "waiting"],
      [3, "completed"],
    ]);
    expect(bench.header.index?.owed).toBeDefined();
    bench.indexRows[0]?.done(true);
    bench.indexRows[1]?.done(true);
    expect(bench.header.index?.owed).toBeDefined();
    bench.indexRows[2]?.done(true);
    expect(bench.header.index).toEqual({ version: 3, acked: "completed" });
    expect(bench.store.alarm).toBeNull();
    bench.indexRows[2]?.done(true);
    expect(bench.header.index).toEqual({ version: 3, acked: "completed" });
  });

  test("IDX1 a run that is running for under 1 s sends no row; a run that is running for longer sends one", () => {
    const bench = indexed();
    bench.trigger();
    bench.report(waits, parked);
    bench.indexRows.at(-1)?.done(true);
    bench.host.handle({ type: "deliver", kind: "signal", name: "go", payload: "1" });
    expect(bench.header).toMatchObject({
      status: "running",
      index: { acked: "waiting", owed: { retryAt: 1_001_000 } },
    });
    expect(bench.indexRows).toHaveLength(2);
    bench.report({ type: "wait.opened", op: "signal/1/go", nth: 2 }, { ...parked, seq: 2 });
    expect(bench.header.index).toEqual({ version: 4, acked: "waiting" });
    bench.host.handle({ type: "deliver", kind: "signal", name: "go", payload: "1" });
    bench.alarm();
    expect(bench.indexRows.at(-1)?.row).toMatchObject({ status: "running", version: 5 });
  });

  test("IDX2 a row is sent again after growing delays until it is stored, and an answer about an older version is ignored", () => {
    const bench = indexed();
    bench.trigger();
    bench.report({ type: "run.completed", output: "1" });
    bench.indexRows.at(-1)?.done(false);
    const pauses = Array.from({ length: 9 }, () => {
      const before = bench.now;
      bench.alarm();
      return bench.now - before;
    });
    expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
    bench.indexRows.at(-1)?.done(true);
    expect(bench.store.alarm).toBeNull();
    bench.alarm();
    expect(bench.indexRows).toHaveLength(11);
  });

  test("IDX2 a row is sent again by the alarm that is set already, and the alarm moves once for a short run", () => {
    const bench = indexed();
    bench.trigger();
    const alarm = bench.store.alarm;
    bench.now += 1_000;
    bench.report({ type: "run.completed", output: "1" });
    expect(bench.store.alarm).toBe(alarm);
    bench.alarm();
    expect(bench.indexRows.at(-1)?.row).toMatchObject({ status: "completed", version: 2 });
    expect(bench.indexRows).toHaveLength(3);
    bench.indexRows.at(-1)?.done(true);
    expect(bench.store.alarm).toBeNull();
  });

  test("IDX2 an alarm that is about to fire gives the index its time to answer", () => {
    const bench = indexed();
    bench.trigger();
    bench.now += 4_800;
    bench.report({ type: "run.completed", output: "1" });
    expect(bench.store.alarm).toBe(bench.now + 5_000);
  });

  test("IDX2 a running run stores the acknowledged index version only after the second acknowledgement", () => {
    const bench = indexed();
    bench.trigger();
    bench.indexRows[0]?.done(true);
    expect(bench.header.index?.owed).toBeDefined();
    while (bench.indexRows.length < 2) bench.alarm();
    bench.indexRows[1]?.done(true);
    expect(bench.header.index).toEqual({ version: 1, acked: "running" });
  });

  test("IDX2 a commit that fails while an answer arrives is reported", () => {
    const bench = indexed();
    bench.trigger();
    bench.report({ type: "run.completed", output: "1" });
    bench.store.beforeCommit = () => {
      throw new Error("no disk");
    };
    bench.indexRows.at(-1)?.done(true);
    expect(bench.errors).toEqual([new Error("no disk")]);
  });

  test("IDX4 a reindex makes a run send its row again, and a run without an index ignores it", () => {
    const bench = indexed();
    bench.trigger();
    bench.report({ type: "run.failed", error: { name: "Error", message: "no" } });
    bench.indexRows.at(-1)?.done(true);
    bench.host.handle({ type: "reindex" });
    expect(bench.indexRows.at(-1)?.row).toMatchObject({ version: 3, status: "failed", error: { message: "no" } });
    (bench as Bench).indexRows = undefined;
    bench.host = bench.newHost();
    bench.alarm();
    expect(bench.header.index).toEqual({ version: 3 });
    bench.host.handle({ type: "reindex" });
    expect(bench.header.index).toEqual({ version: 3 });
    const plain = new Bench();
    plain.indexRows = [];
    plain.trigger();
    plain.host = plain.newHost();
    plain.host.handle({ type: "reindex" });
    expect(plain.indexRows.at(-1)?.row.version).toBe(1);
  });

  test("VER3 an ended run expires after its retention time, and not while its index update is pending", () => {
    const bench = indexed();
    bench.retentionMs = 60_000;
    bench.trigger();
    bench.report({ type: "run.completed", output: "1" });
    expect(expiryOf(bench.header)).toBeUndefined();
    bench.indexRows.at(-1)?.done(true);
    expect([expiryOf(bench.header), bench.store.alarm]).toEqual([1_060_000, 1_060_000]);
  });

  test("VER3 WAIT1 an ended run is kept at most for its retention time after the clock was set back", () => {
    const bench = indexed();
    bench.retentionMs = 60_000;
    bench.trigger();
    bench.report({ type: "run.completed", output: "1" });
    bench.indexRows.at(-1)?.done(true);
    bench.now -= 900_000;
    bench.host.handle({ type: "settle" });
    expect([expiryOf(bench.header), bench.store.alarm]).toEqual([160_000, 160_000]);
  });
});
