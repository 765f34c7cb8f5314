/** Idle time, the scale with breaks, ticks, zoom, and the window of rows. */
import { describe, expect, test } from "vitest";
import { busyIntervals, findBreaks, wholeInterval } from "../../src/timeline/idle.ts";
import { TimelineModel } from "../../src/timeline/model.ts";
import { scrollToRow, windowOf } from "../../src/timeline/row-window.ts";
import { TimeScale, WHOLE_VIEW, panView, viewBetween, zoomView } from "../../src/timeline/scale.ts";
import { ticksOf } from "../../src/timeline/ticks.ts";
import { formatDuration, formatTime } from "../../src/timeline/times.ts";
import { T0, entry, longJournal } from "./journal.ts";

const HOUR = 3_600_000;

/** A small generator of numbers, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function randomScale(next: () => number): { readonly scale: TimeScale; readonly from: number; readonly to: number } {
  let at = T0;
  const busy = [{ from: T0, to: T0 }];
  for (let count = Math.floor(next() * 8); count > 0; count -= 1) {
    const from = at + Math.floor(next() ** 4 * 4 * 86_400_000);
    at = from + Math.floor(next() ** 3 * 90_000);
    busy.push({ from, to: at });
  }
  const whole = { from: T0, to: at };
  return { scale: new TimeScale(whole, findBreaks(busy, whole), 0.06), ...whole };
}

describe("T3 idle time", () => {
  test("T3 only a gap of more than a minute and more than 5 % of the run is a break", () => {
    const whole = { from: 0, to: 10 * HOUR };
    const busy = [
      { from: 0, to: 1_000 },
      { from: 61_000, to: 62_000 }, // exactly a minute later
      { from: 0.5 * HOUR, to: 0.5 * HOUR + 1 }, // less than 5 %
      { from: 4 * HOUR, to: 5 * HOUR },
      { from: 4.5 * HOUR, to: 4.6 * HOUR }, // inside another
      { from: 10 * HOUR, to: 10 * HOUR },
    ];
    expect(findBreaks(busy, whole)).toEqual([
      { from: 0.5 * HOUR + 1, to: 4 * HOUR },
      { from: 5 * HOUR, to: 10 * HOUR },
    ]);
    expect(findBreaks([{ from: 60_000, to: 60_000 }], { from: 0, to: 60_000 })).toEqual([]);
  });

  test("T3 a wait is idle, and its start and end are not: a break hides neither", () => {
    const model = new TimelineModel();
    model.add([
      entry(1, 1_000, "step.completed", "step/0/a", { nth: 1, attempt: 1, startedAt: T0 }),
      entry(2, 1_000, "wait.opened", "sleep/0/sleep", { nth: 2 }),
      entry(3, 76 * HOUR, "wait.resolved", "sleep/0/sleep", { nth: 2 }),
    ]);
    const whole = wholeInterval(model.rows, T0, T0 + 76 * HOUR + 5_000);
    const breaks = findBreaks(busyIntervals(model.rows, whole, whole.to), whole);
    expect(breaks.map(({ from, to }) => formatDuration(to - from))).toEqual(["3 d 4 h"]);
  });
});

describe("the scale", () => {
  test("T3 positions are monotone and the inverse returns the time, with any breaks", () => {
    const next = random(7);
    for (let round = 0; round < 300; round += 1) {
      const { scale, from, to } = randomScale(next);
      const times = Array.from({ length: 40 }, () => from + next() * (to - from)).toSorted((a, b) => a - b);
      const positions = times.map((time) => scale.positionOf(time));
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      for (const [index, time] of times.entries())
        expect(Math.abs(scale.timeAt(positions[index] ?? 0) - time)).toBeLessThan(Math.max(1, (to - from) * 1e-9));
      expect([scale.positionOf(from - 5), scale.positionOf(to + 5)]).toEqual([0, 1]);
    }
  });

  test("T3 breaks have one width, and never more than a part of the whole", () => {
    const breaks = Array.from({ length: 20 }, (_, index) => ({ from: index * 100 + 1, to: index * 100 + 99 }));
    const scale = new TimeScale({ from: 0, to: 2_000 }, breaks, 0.1);
    const widths = scale.pieces.filter(({ isBreak }) => isBreak).map(({ start, end }) => end - start);
    expect(Math.max(...widths)).toBeCloseTo(0.02);
    expect(Math.min(...widths)).toBeCloseTo(0.02);
  });

  test("T4 zoom keeps the time under the pointer, and pan stops at the edges", () => {
    const zoomed = zoomView(WHOLE_VIEW, 0.5, 0.25);
    expect(zoomed).toEqual({ start: 0.125, end: 0.625 });
    expect(zoomView(zoomed, 100, 0.3)).toEqual(WHOLE_VIEW);
    expect(panView(zoomed, -3).start).toBe(0);
    expect(panView(zoomed, 3).end).toBe(1);
    expect(viewBetween(0.8, 0.2)).toEqual({ start: 0.2, end: expect.closeTo(0.8) as number });
  });

  test("T3 ticks do not overlap, and each piece begins with a whole label", () => {
    const whole = { from: T0, to: T0 + 76 * HOUR + 4_000 };
    const breaks = [{ from: T0 + 3_000, to: T0 + 76 * HOUR }];
    const ticks = ticksOf(new TimeScale(whole, breaks, 0.06), WHOLE_VIEW, 900, {
      mode: "relative",
      zone: "utc",
      origin: T0,
    });
    expect(ticks.filter(({ isFirst }) => isFirst).map(({ label }) => label)).toEqual(["0", "+3 d 4 h"]);
    for (const [index, { x, label }] of ticks.entries())
      expect(x + label.length * 6).toBeLessThan(ticks[index + 1]?.x ?? 901);
    expect(ticks.length).toBeGreaterThan(5);
  });

  test("T3 no label is below the button of a break, and a piece without room has none", () => {
    const whole = { from: T0, to: T0 + 50 * HOUR };
    const breaks = [
      { from: T0 + 3_000, to: T0 + 9 * HOUR },
      { from: T0 + 9 * HOUR, to: T0 + 50 * HOUR - 3_000 },
    ];
    const scale = new TimeScale(whole, breaks, 0.06);
    const ticks = ticksOf(scale, WHOLE_VIEW, 900, { mode: "relative", zone: "utc", origin: T0 });
    const covered = scale.pieces.filter(({ isBreak }) => isBreak);
    for (const { x, label } of ticks)
      for (const { start, end } of covered)
        expect(x + label.length * 6 <= start * 900 + 1 || x >= end * 900 - 1).toBe(true);
    expect(ticks.map(({ label }) => label)).toContain("+2 d 2 h");
  });
});

test("T8 durations have two units, rounded so that none is full", () => {
  const shown = [0, 40, 999.4, 999.6, 1_250, 12_340, 59_949, 59_960, 3_599_600, 3_600_000, 86_399_000, 273_600_000];
  expect(shown.map(formatDuration)).toEqual(
    "0 ms,40 ms,999 ms,1 s,1.25 s,12.3 s,59.9 s,1 m,1 h,1 h,1 d,3 d 4 h".split(","),
  );
});

test("T8 a time is relative or absolute", () => {
  const format = { mode: "relative", zone: "utc", origin: T0 } as const;
  expect(formatTime(T0 + 1_500, format)).toBe("+1.5 s");
  expect(formatTime(T0 + 1_500, { ...format, mode: "absolute" })).toBe("2026-01-05 09:00:01.500 UTC");
});

describe("T5 100,000 entries", () => {
  test("T5 only the rows of the viewport and a few around are in the DOM", () => {
    expect(windowOf(0, 600, 26, 100_000)).toEqual({ from: 0, to: 41 });
    const middle = windowOf(26 * 50_000, 600, 26, 100_000);
    expect(middle.to - middle.from).toBeLessThan(50);
    expect(middle.from).toBeLessThan(50_000);
    expect(windowOf(26 * 100_000, 600, 26, 100_000).to).toBe(100_000);
    expect(windowOf(9_999, 600, 26, 0)).toEqual({ from: 0, to: 0 });
    expect(scrollToRow(100, 0, 520, 26)).toBe(101 * 26 - 520);
  });

  test("T5 the layout of 100,000 entries takes about 100 ms", () => {
    const model = new TimelineModel();
    const journal = longJournal(100_000);
    model.add(journal);
    const began = process.cpuUsage();
    const whole = wholeInterval(model.rows, T0, T0 + 1_000_000);
    const breaks = findBreaks(busyIntervals(model.rows, whole, whole.to), whole);
    const scale = new TimeScale(whole, breaks, 0.06);
    ticksOf(scale, WHOLE_VIEW, 1_200, { mode: "relative", zone: "utc", origin: T0 });
    const { from, to } = windowOf(1_000_000, 600, 26, model.rows.length);
    const bars = model.rows.slice(from, to).map(({ spans }) => spans.map((span) => scale.positionOf(span.from)));
    const took = process.cpuUsage(began).user / 1_000;
    expect(bars.length).toBe(to - from);
    // A machine with other work needs longer; a layout that is quadratic needs minutes.
    expect(took).toBeLessThan(1_000);
  });
});
