/** The rows of open waits against a model: whatever changes, the stored waits are the open ones, and only what changed is written. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { WaitRow } from "../src/run/state/rows.ts";
import { applyWaitRows, storeWaits, withWaitRows } from "../src/run/state/wait-rows.ts";
import type { OpenWait, RunHeader } from "../src/index.ts";
import { Bench } from "./bench.ts";

/** Changes of one transition: the places of waits that end, and of those that change, and how many open. */
const change = fc.record({
  ended: fc.array(fc.nat(30), { maxLength: 4 }),
  changed: fc.array(fc.nat(30), { maxLength: 4 }),
  opened: fc.nat(6),
  endsAll: fc.integer({ min: 0, max: 9 }),
});

test("WAIT10 the waits of the header and of the rows are the open ones in their order, and only those that change are written", () => {
  const run = new Bench();
  run.trigger();
  fc.assert(
    fc.property(fc.array(change, { maxLength: 25 }), fc.integer({ min: 1, max: 5 }), (changes, max) => {
      const rows = new Map<string, WaitRow>();
      let stored: RunHeader = { ...run.header, waits: [] };
      let next = 0;
      for (const { ended, changed, opened, endsAll } of changes) {
        const known = withWaitRows(stored, rows).waits;
        const left = known.filter((_, place) => endsAll !== 0 && !ended.includes(place));
        const remaining = left.map((wait, place) => (changed.includes(place) ? { ...wait, openedAt: next } : wait));
        const fresh = Array.from({ length: opened }, (): OpenWait => newWait(next++));
        const waits = left.length === known.length && changed.length + opened === 0 ? known : [...remaining, ...fresh];
        const [puts, deletes] = [new Map<string, object>(), new Set<string>()];
        const before = new Map(rows);
        stored = storeWaits(
          { put: (key, row) => void puts.set(key, row), delete: (key) => void deletes.add(key) },
          { ...stored, waits },
          { before, known, max },
        );
        applyWaitRows(rows, { puts, deletes });
        expect(opsOf(withWaitRows(stored, rows).waits)).toEqual(opsOf(waits));
        expect(withWaitRows(stored, rows).waits.map(({ openedAt }) => openedAt)).toEqual(
          waits.map(({ openedAt }) => openedAt),
        );
        expect(stored.waits.length).toBeLessThanOrEqual(Math.max(max, known.length - before.size));
        const replaced = remaining.filter((wait, place) => wait !== left[place]).length;
        const moves = rows.size > 0 && ![...before.keys()].some((key) => rows.has(key));
        if (!moves) expect(puts.size).toBeLessThanOrEqual(replaced + opened);
      }
    }),
    { numRuns: 300 },
  );
});

function newWait(nth: number): OpenWait {
  return { op: `signal/${nth}/s`, nth: nth + 1, kind: "SIGNAL", name: "s", openedAt: 0 };
}

function opsOf(waits: readonly OpenWait[]): string[] {
  return waits.map(({ op }) => op);
}
