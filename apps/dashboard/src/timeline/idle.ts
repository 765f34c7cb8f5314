/**
 * Idle time: the gaps in which nothing of a run executes, which the timeline collapses (T3).
 *
 * Owns: which gaps are breaks. It reads spans; the scale draws the breaks.
 */
import type { Row } from "./rows.ts";

export interface Interval {
  readonly from: number;
  readonly to: number;
}

/** A gap of at most this long stays as it is, ms. */
const GAP_MIN_MS = 60_000;
/** A gap of at most this part of the run stays as it is. */
const GAP_MIN_PART = 0.05;

/**
 * Returns the intervals in which something happens, sorted by their start. An open attempt ends `now`. The start and the end
 * of a wait are moments of their own: a break never hides one.
 */
export function busyIntervals(rows: Iterable<Row>, whole: Interval, now: number): Interval[] {
  const found: Interval[] = [
    { from: whole.from, to: whole.from },
    { from: whole.to, to: whole.to },
  ];
  for (const { spans } of rows)
    for (const { kind, from, to } of spans) {
      const end = Math.max(from, to ?? now);
      if (kind === "attempt" || kind === "instant" || from === end) found.push({ from, to: end });
      else found.push({ from, to: from }, { from: end, to: end });
    }
  return found.toSorted((a, b) => a.from - b.from);
}

/** Returns the gaps between sorted intervals that are collapsed, in one pass. */
export function findBreaks(busy: readonly Interval[], whole: Interval): Interval[] {
  const least = Math.max(GAP_MIN_MS, (whole.to - whole.from) * GAP_MIN_PART);
  const breaks: Interval[] = [];
  let end = whole.from;
  for (const { from, to } of busy) {
    if (from - end > least) breaks.push({ from: end, to: from });
    end = Math.max(end, to);
  }
  return breaks;
}

/** Returns the interval from the first to the last moment of the rows and the run. */
export function wholeInterval(rows: Iterable<Row>, start: number, end: number): Interval {
  let [from, to] = [start, Math.max(start, end)];
  for (const { spans } of rows)
    for (const span of spans) {
      from = Math.min(from, span.from);
      // The end of a delay that is still pending is in the future.
      if (span.to !== undefined && span.kind !== "delay") to = Math.max(to, span.to);
    }
  return { from, to };
}
