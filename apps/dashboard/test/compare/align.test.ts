/** The operations of two runs side by side. */
import { expect, test } from "vitest";
import { type Pair, alignRows, deltaOf, firstDifference } from "../../src/compare/align.ts";
import type { Entry } from "../../src/timeline/entries.ts";
import { TimelineModel } from "../../src/timeline/model.ts";
import { T0, entry } from "../timeline/journal.ts";

function rows(...entries: readonly Entry[]): TimelineModel["rows"] {
  const model = new TimelineModel();
  model.add(entries);
  return model.rows;
}

const done = (seq: number, op: string, value: unknown, ms = 10): Entry =>
  entry(seq, seq * 100 + ms, "step.completed", op, { nth: seq, attempt: 1, startedAt: T0 + seq * 100, value });
const failed = (seq: number, op: string, message: string, stack: string): Entry =>
  entry(seq, seq * 100, "step.failed", op, {
    nth: seq,
    attempt: 3,
    startedAt: T0 + seq * 100,
    error: { message, stack },
  });

const shape = (pairs: readonly Pair[]): unknown[] => pairs.map(({ a, b, difference }) => [a?.id, b?.id, difference]);

test("LIVE8 operations are aligned by their ids, and the first outcome that differs is found", () => {
  const a = rows(done(1, "step/0/reserve", 1), done(2, "step/0/charge", 5), done(3, "step/0/ship", 1));
  const b = rows(done(1, "step/0/reserve", 1), done(2, "step/0/charge", 6, 60), done(3, "step/0/ship", 2));
  const pairs = alignRows(a, b);
  expect(pairs.map(({ difference }) => difference)).toEqual(["none", "outcome", "outcome"]);
  expect(firstDifference(pairs)).toBe(1);
  expect(pairs.map((pair) => deltaOf(pair, 0, 0))).toEqual([0, 50, 0]);
});

test("LIVE8 a renamed operation is aligned by its place, and one that only B has is in its place", () => {
  const a = rows(done(1, "step/0/a", 1), done(2, "step/0/old name", 1), done(3, "step/0/c", 1));
  const b = rows(
    done(1, "step/0/a", 1),
    done(2, "step/0/new name", 1),
    done(3, "step/0/extra", 1),
    done(4, "step/0/c", 1),
  );
  expect(shape(alignRows(a, b))).toEqual([
    ["step/0/a", "step/0/a", "none"],
    ["step/0/old name", "step/0/new name", "none"],
    [undefined, "step/0/extra", "missing"],
    ["step/0/c", "step/0/c", "none"],
  ]);
});

test("LIVE8 occurrences of one name are different operations", () => {
  const a = rows(done(1, "step/0/try", 1), done(2, "step/1/try", 2));
  const b = rows(done(1, "step/0/try", 1), done(2, "step/1/try", 3));
  expect(alignRows(a, b).map(({ difference }) => difference)).toEqual(["none", "outcome"]);
});

test("LIVE8 stacks, and the ids of children, do not make outcomes differ", () => {
  const child = (runId: string): Entry[] => [
    entry(2, 200, "child.started", "run/0/ship", { nth: 2, runId }),
    entry(3, 300, "child.ended", "run/0/ship", { nth: 2, outcome: { status: "completed", output: 1, runId } }),
  ];
  const a = rows(failed(1, "step/0/a", "declined", "at x"), ...child("c1"));
  const b = rows(failed(1, "step/0/a", "declined", "at y"), ...child("c2"));
  expect(firstDifference(alignRows(a, b))).toBe(-1);
});

test("LIVE8 a result that is taken over is the same as one that was computed", () => {
  const given = entry(1, 0, "step.completed", "step/0/a", { nth: 1, attempt: 0, startedAt: 0, value: 7, seeded: true });
  expect(firstDifference(alignRows(rows(done(1, "step/0/a", 7)), rows(given)))).toBe(-1);
});

test("LIVE8 an open operation has no outcome that differs", () => {
  const a = rows(entry(1, 5, "wait.opened", "signal/0/go", { nth: 1 }));
  const b = rows(
    entry(1, 5, "wait.opened", "signal/0/go", { nth: 1 }),
    entry(2, 9, "wait.resolved", "signal/0/go", { nth: 1, value: 1 }),
  );
  expect(alignRows(a, b).map(({ difference }) => difference)).toEqual(["open"]);
  expect(alignRows(a, a).map(({ difference }) => difference)).toEqual(["none"]);
});
