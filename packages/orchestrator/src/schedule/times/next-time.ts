/**
 * The times of a schedule.
 *
 * Owns: `nextTime`, the union of patterns, intervals and dates, without what is excluded (SCH1, SCH2).
 *
 * Invariants
 * - NT1 Times strictly increase: `nextTime(spec, after)` is later than `after`, and each instant comes once.
 * - NT2 The result follows from the arguments and the platform's rules of zones. The zone and the clock of the host have no
 *   effect.
 * - NT3 No time is before 1970 or after 9998: ids, dates as text and answers of the API have no form for all of its local times.
 */
import { nextCronTime } from "./cron.ts";
import { utcText } from "./utc.ts";
import { firstInstant, localTime, nextLocalDay } from "./zone.ts";

/** When a schedule fires. Times are ms since 1970. */
export interface TimesSpec {
  readonly cron?: readonly string[] | undefined;
  /** The patterns may have a sixth field for seconds, the first. */
  readonly seconds?: boolean | undefined;
  /** An interval, ms, counted in elapsed time from `anchor`. */
  readonly every?: number | undefined;
  /** Default 0. */
  readonly anchor?: number | undefined;
  /** Sorted. */
  readonly at?: readonly number[] | undefined;
  /** The zone of patterns and excluded days. */
  readonly tz: string;
  /** The first possible time. */
  readonly from?: number | undefined;
  /** The end: no time is at it or later. */
  readonly until?: number | undefined;
  /** Excluded days of the zone (`2027-12-25`), and excluded times. */
  readonly skip?: readonly (string | number)[] | undefined;
}

const END = Date.parse("9999-01-01T00:00:00Z");

/** The first time of the schedule after `after`, ms since 1970; `undefined`: there is none. */
export function nextTime(spec: TimesSpec, after: number): number | undefined {
  const { from = 0, tz, skip = [] } = spec;
  const until = Math.min(spec.until ?? END, END);
  const skipped = new Set(skip);
  const skipsDays = skip.some((one) => typeof one === "string");
  let last = Math.max(after, from - 1, -1);
  // Each turn passes an excluded day or an excluded time. One day has several turns only if it occurs twice.
  for (let turn = 0; turn <= 2 * skip.length; turn++) {
    const next = last < until ? nextOfAny(spec, last) : undefined;
    if (next === undefined || next >= until) return undefined;
    const { date } = skipsDays ? localTime(tz, next) : NO_DATE;
    if (skipped.has(date)) last = endOfSkipped(tz, skipped, next, date);
    else if (skipped.has(next)) last = next;
    else return next;
  }
  return undefined;
}

const NO_DATE = { date: "" };
const DAY_MS = 86_400_000;

/** The last time of the excluded day, and of those that follow it without a gap: a long holiday takes few steps. */
function endOfSkipped(tz: string, skipped: ReadonlySet<string | number>, next: number, date: string): number {
  let day = Date.parse(date);
  do day += DAY_MS;
  while (skipped.has(utcText(day).slice(0, 10)));
  const start = firstInstant(tz, day) ?? next;
  // A day that occurs twice, or is left out, is searched for.
  return (start > next ? start : nextLocalDay(tz, next)) - 1;
}

function nextOfAny({ cron = [], every, anchor = 0, at = [], tz }: TimesSpec, after: number): number | undefined {
  const found = cron.map((pattern) => nextCronTime(pattern, tz, after));
  if (every !== undefined) found.push(anchor + (Math.floor((after - anchor) / every) + 1) * every);
  found.push(at.find((time) => time > after));
  const times = found.filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The next times, at most `count`. */
export function nextTimes(spec: TimesSpec, after: number, count: number): number[] {
  const times: number[] = [];
  for (let last: number | undefined = after; times.length < count;) {
    last = nextTime(spec, last);
    if (last === undefined) break;
    times.push(last);
  }
  return times;
}
