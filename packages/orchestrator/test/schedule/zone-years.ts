/**
 * The times of daily patterns in a zone over years (SCH2). As a command it checks all zones over twenty years, or those that
 * it is given: `node packages/orchestrator/test/schedule/zone-years.ts --years 20`. It looks at the days around each change of
 * the zone's offset; with `--every-day` at each day, which takes an hour.
 */
import { parseArgs } from "node:util";
import { nextTime } from "../../src/schedule/times/next-time.ts";
import { localTime } from "../../src/schedule/times/zone.ts";

/** Zones with gaps at midnight, of half an hour, twice a year around a month, without changes, and the usual ones. */
export const CI_ZONES = [
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Cairo",
  "America/Santiago",
  "Africa/Casablanca",
  "Asia/Beirut",
  "Asia/Kolkata",
  "Europe/Berlin",
];

const DAY_MS = 86_400_000;
/** In a gap at midnight, in the usual gaps and repeated hours, and at noon. */
const PATTERNS = ["0 0 * * *", "30 0 * * *", "30 1 * * *", "30 2 * * *", "0 12 * * *"];

interface Range {
  readonly from: number;
  readonly until: number;
}

/** Returns what is wrong with the times of a zone. */
export function checkZone(tz: string, from: number, years: number, everyDay = false): string[] {
  const all = { from, until: from + years * 365.25 * DAY_MS };
  const ranges = everyDay ? [all] : [{ from, until: from + 5 * DAY_MS }, ...aroundChanges(tz, all)];
  return PATTERNS.flatMap((pattern) => ranges.flatMap((range) => checkPattern(pattern, tz, range)));
}

function aroundChanges(tz: string, { from, until }: Range): Range[] {
  const ranges: Range[] = [];
  for (let day = from; day < until; day += DAY_MS) {
    if (localTime(tz, day).offsetMs === localTime(tz, day + DAY_MS).offsetMs) continue;
    ranges.push({ from: day - 2 * DAY_MS, until: day + 4 * DAY_MS });
  }
  return ranges;
}

function checkPattern(pattern: string, tz: string, { from, until }: Range): string[] {
  const spec = { cron: [pattern], tz };
  const problems: string[] = [];
  let date = "";
  let last = from;
  while (last < until) {
    const next = nextTime(spec, last);
    const where = `${pattern} ${tz} after ${new Date(last).toISOString()}`;
    if (next === undefined || next <= last) return [...problems, `${where}: ${next}`];
    const found = localTime(tz, next).date;
    if (found === date) problems.push(`${where}: twice on ${date}`);
    // No zone leaves out a day in the years to come.
    if (next - last > DAY_MS + 3 * 3_600_000) problems.push(`${where}: a day is missing before ${found}`);
    date = found;
    last = next;
  }
  return problems;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { years: { type: "string", default: "20" }, "every-day": { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const zones = positionals.length > 0 ? positionals : Intl.supportedValuesOf("timeZone");
  const problems = zones.flatMap((tz) =>
    checkZone(tz, Date.UTC(2026, 0, 1), Number(values.years), values["every-day"]),
  );
  for (const problem of problems) console.log(problem);
  console.log(`${zones.length} zones, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
