/**
 * Times that a user types.
 *
 * Owns: their forms. What has another form is refused: `Date.parse` takes 5 for the year 2001, and 31 February for 3 March.
 */
import { UsageError } from "../exit.ts";
import { parseDuration } from "../output/times.ts";

const DURATION = /^\d+(?:\.\d+)?(?:ms|s|m|h|d|w)$/;
const TIME = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(Z|[+-]\d\d:\d\d)?$/;

/** A duration stands for the moment that long ago, a date for its start; a time without an offset is in UTC. */
export function momentOf(text: string, now: number): number | undefined {
  const ms = DURATION.test(text) ? parseDuration(text) : undefined;
  if (ms !== undefined) return Math.max(0, Math.round(now - ms));
  const [, date = "", time, offset] = TIME.exec(text) ?? [];
  if (!isDay(date) || (time === undefined && offset !== undefined)) return undefined;
  const at = Date.parse(date + (time === undefined ? "" : time + (offset ?? "Z")));
  return Number.isNaN(at) || at < 0 ? undefined : at;
}

function isDay(date: string): boolean {
  const at = Date.parse(date);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}

/**
 * The value of an option.
 * @throws UsageError with the forms
 */
export function timeOption(option: string, text: string, now: number): Date {
  const at = momentOf(text, now);
  if (at !== undefined) return new Date(at);
  throw new UsageError(
    `${option}: ${JSON.stringify(text)} is not a time. Write a date or a time in UTC, such as 2026-11-01, 2026-11-01T12:00Z or 2026-11-01T13:00+01:00, or how long ago it was, such as 90m, 12h or 2d.`,
  );
}
