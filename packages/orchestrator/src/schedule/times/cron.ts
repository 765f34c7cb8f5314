/**
 * Cron patterns.
 *
 * Owns: the only use of `croner`, which computes times. Its timers are not used. The clock is not read: the time is a
 * parameter, and a pattern with `?`, which stands for the time at which it is read, is refused.
 */
import { Cron } from "croner";
import { utcText } from "./utc.ts";
import { firstInstant, offsetAt, zoneName } from "./zone.ts";

interface Parsed {
  readonly cron: Cron;
  /** The times of the library are local times, as if they were UTC. */
  readonly isLocal: boolean;
  /** Consecutive times of the pattern. The first one may be any time: there is none between it and the second one. */
  readonly times: number[];
}

const parsed = new Map<string, Parsed>();
const PARSED_MAX = 100;

/** A schedule reads each time several times: when it is the next one, when it is due, and among the times after a tick. */
const TIMES_MAX = 16;

/** The next time after `after` that matches the pattern in the zone, ms since 1970; `undefined` if there is none. */
export function nextCronTime(pattern: string, tz: string, after: number): number | undefined {
  const one = cronOf(pattern, tz);
  const { times } = one;
  const known = times.find((time) => time > after);
  if (known !== undefined && after >= (times[0] ?? after)) return known;
  const next = findNext(one, tz, Math.floor(after / 1_000) * 1_000);
  if (times.at(-1) !== after) times.splice(0, Infinity, after);
  if (next !== undefined) times.push(next);
  if (times.length > TIMES_MAX) times.shift();
  return next;
}

function findNext({ cron, isLocal }: Parsed, tz: string, after: number): number | undefined {
  if (!isLocal) return runAfter(cron, after);
  // In an hour that occurs for the second time, the times after this one may have passed.
  for (let local = runAfter(cron, after + offsetAt(tz, after)); local !== undefined; local = runAfter(cron, local)) {
    const found = firstInstant(tz, local);
    if (found !== undefined && found > after) return found;
  }
  return undefined;
}

function runAfter(cron: Cron, ms: number): number | undefined {
  return cron.nextRun(utcText(ms))?.getTime();
}

/** What is wrong with a pattern, and where; `undefined` if nothing is. */
export function cronProblem(pattern: string, allowsSeconds: boolean): string | undefined {
  const fields = pattern.trim().split(/\s+/);
  const isNickname = fields.length === 1 && pattern.trim().startsWith("@");
  if (pattern.includes("?")) return `has "?", which is no time of its own. Write "*", or the values.`;
  if (fields.length === 6 && !allowsSeconds) {
    return "has six fields. The first one of six is seconds, which need seconds: true. Otherwise write five: minute, hour, day, month, weekday.";
  }
  if (!isNickname && fields.length !== 5 && !(fields.length === 6 && allowsSeconds)) {
    return `has ${pattern.trim() === "" ? "no" : fields.length} fields. It needs five: minute, hour, day of the month, month, weekday.`;
  }
  try {
    cronOf(pattern, "UTC");
    return undefined;
  } catch (error) {
    return `is no pattern: ${messageOf(error)}.`;
  }
}

/** The library's message, without its own name and its full stop. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/^Cron\w*: /, "").replace(/\.$/, "");
}

function cronOf(pattern: string, tz: string): Parsed {
  const key = `${tz} ${pattern}`;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const fields = pattern.trim().split(/\s+/);
  // In a zone that is an offset, such as +05:30, local and elapsed time are the same.
  const isLocal = tz !== "UTC" && (isFixedTime(fields) || /^[+-]/.test(tz));
  const cron = new Cron(pattern.trim(), {
    // Without a zone the library needs no `Intl`, which is most of its time. It forgets no zone, so each has one name only.
    ...(isLocal || tz === "UTC" ? { utcOffset: 0 } : { timezone: zoneName(tz) }),
    mode: fields.length === 6 ? "6-part" : "5-part",
    paused: true,
  });
  if (parsed.size === PARSED_MAX) parsed.clear();
  const one = { cron, isLocal, times: [] };
  parsed.set(key, one);
  return one;
}

/** Whether a pattern fires at fixed times of each day that matches, and does not go by elapsed time (SCH2). */
function isFixedTime(fields: readonly string[]): boolean {
  if (fields.length === 1) return fields[0]?.toLowerCase() !== "@hourly";
  const times = fields.slice(0, -3);
  return !/[*/]/.test(times.join()) && !hasAllHours(times.at(-1) ?? "");
}

/** Whether a field of lists and ranges names all hours of the day. */
function hasAllHours(field: string): boolean {
  const hours = new Set<number>();
  for (const part of field.split(",")) {
    const [first = NaN, last = first] = part.split("-").map(Number);
    for (let hour = first; hour <= Math.min(last, 23); hour++) hours.add(hour);
  }
  return hours.size === 24;
}
