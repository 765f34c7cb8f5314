/** tests: open waits that have rows of their own (WAIT10, VER4, REP6, and crashes at each write) */
import { DEFAULT_LIMITS, type ExecutionEvent, FORMAT_VERSION } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { type OpenWait, type RunHeader, listRows, loadRun } from "../src/index.ts";
import { Bench, child } from "./bench.ts";

const signal = (place: number, more: object = {}): ExecutionEvent => ({
  type: "wait.opened",
  op: `signal/${place}/s`,
  nth: place + 1,
  ...more,
});

function openSignals(count: number, first = 0): ExecutionEvent[] {
  return Array.from({ length: count }, (_, place) => signal(first + place));
}

function opsOf(waits: readonly OpenWait[]): string[] {
  return waits.map(({ op }) => op);
}

function opsFrom(first: number, end: number): string[] {
  return Array.from({ length: end - first }, (_, place) => `signal/${first + place}/s`);
}

/** The waits in the stored header, and those in rows. */
function stored(bench: Bench): { readonly header: string[]; readonly rows: string[] } {
  const { waits } = bench.store.get("record") as RunHeader;
  return { header: opsOf(waits), rows: [...listRows(bench.store, "wait/")].map(([, { op }]) => op) };
}

function deliver(bench: Bench): string | undefined {
  const reply = bench.host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
  return reply.type === "delivered" ? reply.delivery : reply.type;
}

const bench = (limits: object = {}): Bench => {
  const one = new Bench();
  one.limits = { ...DEFAULT_LIMITS, headerWaits: 3, ...limits };
  one.host = one.newHost();
  one.trigger();
  return one;
};

test("REP6 the waits of a run with few waits are in the header, and write no rows of their own", () => {
  const run = bench();
  run.report(...openSignals(3));
  expect(stored(run)).toEqual({ header: opsFrom(0, 3), rows: [] });
  const { uses, waitRows } = run.store.get("record") as RunHeader;
  expect([uses, waitRows]).toEqual([undefined, undefined]);
});

test("WAIT10 deliveries resolve waits in the order in which they opened, wherever they are stored", () => {
  const run = bench();
  run.report(...openSignals(6));
  expect(stored(run)).toEqual({ header: opsFrom(0, 3), rows: opsFrom(3, 6) });
  expect([deliver(run), deliver(run)]).toEqual(["resolved", "resolved"]);
  // A place in the header is free, but older waits have rows.
  run.report(signal(6));
  expect(stored(run)).toEqual({ header: opsFrom(2, 3), rows: opsFrom(3, 7) });
  run.host.forget();
  expect(opsOf(run.header.waits)).toEqual(opsFrom(2, 7));
  for (let left = 5; left > 0; left--) expect(deliver(run)).toBe("resolved");
  expect(deliver(run)).toBe("buffered");
  expect(stored(run)).toEqual({ header: [], rows: [] });
  run.report(signal(7), signal(8));
  expect(stored(run)).toEqual({ header: ["signal/8/s"], rows: [] });
});

test("WAIT4 a wait with a row times out at its time", () => {
  const run = bench();
  run.report(...openSignals(4), signal(4, { afterMs: 500 }));
  expect(run.store.alarm).toBe(run.now + 500);
  run.host.forget();
  run.alarm();
  expect(stored(run)).toEqual({ header: opsFrom(0, 3), rows: opsFrom(3, 4) });
});

test("WAIT1 a wait with a row is set again after the clock was set back", () => {
  const run = bench();
  run.report(...openSignals(3), signal(3, { afterMs: 1_000 }));
  run.now -= 3_600_000;
  run.host.handle({ type: "settle" });
  run.host.forget();
  expect(run.header.waits.at(-1)?.wakeAt).toBe(run.now + 1_000);
  expect(stored(run).rows).toEqual(opsFrom(3, 4));
});

test("VER3 the end of a run deletes the rows of its waits", () => {
  const run = bench();
  run.report(...openSignals(9));
  run.host.handle({ type: "terminate", reason: "test" });
  expect(stored(run)).toEqual({ header: [], rows: [] });
});

test("VER1 the waits of a run that earlier code stored in the header move to rows at the next change, in their order", () => {
  const run = bench({ headerWaits: 100 });
  run.report(...openSignals(8));
  expect(stored(run)).toEqual({ header: opsFrom(0, 8), rows: [] });
  run.limits = { ...run.limits, headerWaits: 3 };
  run.host = run.newHost();
  expect(opsOf(run.header.waits)).toEqual(opsFrom(0, 8));
  expect(deliver(run)).toBe("resolved");
  expect(stored(run)).toEqual({ header: opsFrom(1, 4), rows: opsFrom(4, 8) });
  run.host.forget();
  expect(opsOf(run.header.waits)).toEqual(opsFrom(1, 8));
});

test("VER4 a run with rows of waits names them, so that older code does not change it", () => {
  const run = bench();
  run.report(...openSignals(4));
  expect(run.store.get("record")).toMatchObject({ uses: ["wait rows"], waitRows: 1 });
});

test("VER4 a wait's row of a newer format makes the run read-only", () => {
  const run = bench();
  run.report(...openSignals(4));
  for (const [key, row] of run.store.list("wait/")) {
    run.store.commit({ puts: new Map([[key, { ...(row as object), v: FORMAT_VERSION + 1 }]]), deletes: new Set() });
  }
  run.host = run.newHost();
  expect(deliver(run)).toBe("refused");
});

test("DUR4 the state in memory and the state that is loaded are equal after each change of many waits", () => {
  const run = bench();
  const steps: (() => unknown)[] = [
    () => run.report(...openSignals(5)),
    () => run.report(child("a"), child("b")),
    () => deliver(run),
    () => run.report(signal(5, { afterMs: 100 })),
    () => run.alarm(),
    () => run.host.handle({ type: "pause" }),
    () => deliver(run),
    () => run.host.handle({ type: "unpause" }),
    () => run.host.handle({ type: "cancel" }),
  ];
  for (const step of steps) {
    step();
    const { header, waitRows } = run.host.state;
    const loaded = loadRun(run.store);
    expect([loaded.header, [...loaded.waitRows]]).toEqual([header, [...waitRows]]);
  }
});

test("REP6 the bytes that a parent writes for a child do not grow with the number of its children", () => {
  const bytesOf = (count: number): number => {
    const run = new Bench();
    let bytes = 0;
    run.store.afterCommit = ({ puts }) => (bytes += JSON.stringify([...puts]).length);
    run.trigger();
    run.report(...Array.from({ length: count }, (_, place) => child(`c${place}`)));
    for (const { done } of run.sent.splice(0)) done({ type: "acknowledged" });
    for (const { op, runId = "" } of run.header.waits) {
      run.host.handle({ type: "childEnded", op, outcome: { status: "completed", runId, output: "[1]" } });
    }
    expect(run.header.waits).toEqual([]);
    return bytes / count;
  };
  const [few, many] = [bytesOf(100), bytesOf(900)];
  expect(many).toBeLessThan(few * 1.1);
  expect(few).toBeLessThan(5_000);
});
