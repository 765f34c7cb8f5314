/**
 * Durations and dates as authors and callers write them (RUN7).
 *
 * Owns: the forms of a duration (`"30s"`) and of a date, and their validation. A negative duration or a string with a
 * fraction is rejected with the name of the argument.
 */
import { invalid } from "./errors.ts";
import * as LIMITS from "./author-limits.ts";

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

type DurationUnit = keyof typeof UNIT_MS;

/** Milliseconds, or a whole number with a unit: `"500ms" "30s" "5m" "2h" "7d" "1w"`. */
export type Duration = number | `${number}${DurationUnit}`;

/**
 * Returns the length of a duration in whole milliseconds, rounded up.
 * @param where The name of the argument, for the message.
 * @throws HoldfastError `INVALID_ARGUMENT` naming the argument and the value.
 */
export function parseDurationMs(value: unknown, where: string): number {
  const ms = typeof value === "string" ? parseText(value) : value;
  if (typeof ms !== "number" || !Number.isFinite(ms) || ms < 0) {
    throw invalid(
      where,
      `${quote(value)} is not a duration. Give milliseconds (a number ≥ 0) or a whole number with a unit: "500ms", "30s", "5m", "2h", "7d", "1w".`,
    );
  }
  if (ms > LIMITS.durationMs) {
    throw invalid(where, `${quote(value)} is longer than ten years.`);
  }
  return Math.ceil(ms);
}

/**
 * Returns the milliseconds until a time that the function has calculated: as `parseDurationMs`, but a negative number is
 * 0, because that time has passed. A negative text is rejected: it is a mistake.
 * @param where The name of the argument, for the message.
 * @throws HoldfastError `INVALID_ARGUMENT` naming the argument and the value.
 */
export function parseRemainingMs(value: unknown, where: string): number {
  return parseDurationMs(typeof value === "number" && Number.isFinite(value) ? Math.max(value, 0) : value, where);
}

/**
 * Returns the time of a `Date` or an ISO 8601 string, in milliseconds since 1970.
 * @param where The name of the argument, for the message.
 * @throws HoldfastError `INVALID_ARGUMENT` naming the argument and the value.
 */
export function parseTimeMs(value: unknown, where: string): number {
  const ms = isDate(value) ? value.getTime() : typeof value === "string" ? parseIso(value) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw invalid(
      where,
      `${quote(value)} is not a date. Give a Date or an ISO 8601 string such as "2027-01-31T09:00:00Z".`,
    );
  }
  return ms;
}

const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

function parseIso(text: string): number {
  if (!ISO.test(text)) return Number.NaN;
  // Date.parse reads the 31st of February as the 3rd of March.
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  const daysInMonth = (Date.UTC(year, month, 1) - Date.UTC(year, month - 1, 1)) / UNIT_MS.d;
  return day > daysInMonth ? Number.NaN : Date.parse(text);
}

function parseText(text: string): number {
  const match = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text);
  // A cast: the pattern admits the units of `UNIT_MS` only.
  return match ? Number(match[1]) * UNIT_MS[match[2] as DurationUnit] : Number.NaN;
}

export function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}

function quote(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 100));
  return typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
}
