/**
 * Durations and times as text (T8).
 *
 * Owns: the units and their precision, and the choice between relative and absolute times, in UTC or local time.
 */

/** How times are shown. `origin`: the time that relative ones count from. */
export interface TimeFormat {
  readonly mode: "relative" | "absolute";
  readonly zone: "utc" | "local";
  readonly origin: number;
}

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
];

/** Returns a duration in its two largest units: `3 d 4 h`, `2 m 5 s`, `1.25 s`, `40 ms`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trim(ms / 1_000, ms < 9_995 ? 2 : 1)} s`;
  // Rounded to the smaller unit first, so that no unit is full: not "1 h 60 m".
  const smaller = ms < 3_599_500 ? 1_000 : ms < 86_370_000 ? 60_000 : 3_600_000;
  const rounded = Math.round(ms / smaller) * smaller;
  const index = UNITS.findIndex(([, unit]) => rounded >= unit);
  const [name, unit] = UNITS[index] ?? ["m", 60_000];
  const [nextName, next] = UNITS[index + 1] ?? ["s", 1_000];
  const rest = Math.floor((rounded % unit) / next);
  return `${Math.floor(rounded / unit)} ${name}${rest > 0 ? ` ${rest} ${nextName}` : ""}`;
}

/** Returns a time as the format asks. */
export function formatTime(time: number, { mode, zone, origin }: TimeFormat): string {
  if (mode === "absolute") return formatAbsolute(time, zone);
  return time < origin ? formatDuration(time - origin) : `+${formatDuration(time - origin)}`;
}

/** Returns date and time to the millisecond: `2026-01-31 14:05:09.120 UTC`, or with the offset of the local zone. */
export function formatAbsolute(time: number, zone: "utc" | "local"): string {
  if (!Number.isFinite(time) || Math.abs(time) > 8.64e15) return "unknown time";
  const offset = zone === "utc" ? 0 : offsetAt(time);
  const text = new Date(time + offset * 60_000).toISOString().slice(0, -1).replace("T", " ");
  return `${text} ${zone === "utc" ? "UTC" : formatOffset(offset)}`;
}

/** Returns the time of day, as exactly as the step between two labels needs. */
export function formatClock(time: number, zone: "utc" | "local", stepMs: number): string {
  const text = formatAbsolute(time, zone);
  if (stepMs >= 86_400_000) return text.slice(0, 10);
  return text.slice(11, stepMs >= 60_000 ? 16 : stepMs >= 1_000 ? 19 : 23);
}

/** The offset of the local zone from UTC, minutes. */
export function offsetAt(time: number): number {
  return -new Date(time).getTimezoneOffset();
}

function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  const [hours, rest] = [Math.floor(size / 60), size % 60].map((part) => String(part).padStart(2, "0"));
  return `UTC${minutes < 0 ? "−" : "+"}${hours}:${rest}`;
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, "");
}
