/**
 * Local time in a time zone.
 *
 * Owns: the only use of `Intl`. The rules of a zone are those of the platform, so a newer platform may give other times
 * (SCH2). The zone of the host has no effect.
 */

export interface LocalTime {
  /** `2027-03-14`. */
  readonly date: string;
  /** `03:00:00`. */
  readonly time: string;
  /** Local time minus UTC, in ms. */
  readonly offsetMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const formats = new Map<string, Intl.DateTimeFormat>();
const FORMATS_MAX = 100;

/** Whether the platform knows a time zone of this name. */
export function isTimeZone(tz: string): boolean {
  try {
    formatOf(tz);
    return true;
  } catch {
    return false;
  }
}

/** One name for all forms of a zone's name, such as `europe/berlin`. */
export function zoneName(tz: string): string {
  return formatOf(tz).resolvedOptions().timeZone;
}

export function localTime(tz: string, ms: number): LocalTime {
  const parts = new Map<string, number>(
    formatOf(tz)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (type: string): number => parts.get(type) ?? 0;
  const [year, month, day] = [part("year"), part("month"), part("day")];
  const [hour, minute, second] = [part("hour"), part("minute"), part("second")];
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second);
  return {
    date: `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`,
    time: `${two(hour)}:${two(minute)}:${two(second)}`,
    offsetMs: asUtc - Math.floor(ms / 1_000) * 1_000,
  };
}

/** The first time after `ms`, of whole seconds, whose local date is another one than that of `ms`. */
export function nextLocalDay(tz: string, ms: number): number {
  const { date } = localTime(tz, ms);
  // No day is longer: zones change by a few hours at most, and a day that is left out makes none longer.
  let [same, later] = [Math.floor(ms / 1_000), Math.floor(ms / 1_000) + 30 * 3_600];
  while (later - same > 1) {
    const middle = Math.floor((same + later) / 2);
    if (localTime(tz, middle * 1_000).date === date) same = middle;
    else later = middle;
  }
  return later * 1_000;
}

/**
 * The first time whose local time is the given one or later: in a gap the first instant after it, and of a time that occurs
 * twice the first. `undefined`: the zone leaves out that whole day. `local`: the local time as if it were UTC, ms of whole
 * seconds.
 */
export function firstInstant(tz: string, local: number): number | undefined {
  // Local times are at most 12 hours less and 14 hours more than UTC, so it is between these two.
  const [before, after] = [offsetAt(tz, local - 15 * HOUR_MS), offsetAt(tz, local + 13 * HOUR_MS)];
  let [early, late] = [local - after, local - before];
  if (before === after || offsetAt(tz, late) === before) return late;
  if (offsetAt(tz, early) === after) return early;
  // In a gap, whose end is after `early` and not after `late`.
  while (late - early > 1_000) {
    const middle = early + Math.floor((late - early) / 2_000) * 1_000;
    if (offsetAt(tz, middle) === before) early = middle;
    else late = middle;
  }
  const days = [early + before, late + after].map((time) => Math.floor(time / DAY_MS));
  return days.includes(Math.floor(local / DAY_MS)) ? late : undefined;
}

/** Local time minus UTC, in ms. */
export function offsetAt(tz: string, ms: number): number {
  return localTime(tz, ms).offsetMs;
}

/** `+02:00`. */
export function offsetText(offsetMs: number): string {
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  return `${offsetMs < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function formatOf(tz: string): Intl.DateTimeFormat {
  const known = formats.get(tz);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: tz,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  if (formats.size === FORMATS_MAX) formats.clear();
  formats.set(tz, format);
  return format;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
