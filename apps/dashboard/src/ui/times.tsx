/**
 * Times and durations as text.
 *
 * Owns: their forms. An age is shown in its two largest units. The absolute time is in the title of the element.
 */
import type { JSX } from "preact";
import { now } from "../clock.ts";
import { absoluteText, secondText, timeMode } from "./time-format.ts";

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** Returns `850ms`, `4.2s`, `3m 20s`, `2d 4h`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, "")}s`;
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  const [name, unit] = UNITS[first] ?? ["s", 1_000];
  const [nextName, nextUnit] = UNITS[first + 1] ?? ["", 0];
  const whole = Math.floor(ms / unit);
  const rest = nextUnit === 0 ? 0 : Math.floor((ms - whole * unit) / nextUnit);
  return rest === 0 ? `${whole}${name}` : `${whole}${name} ${rest}${nextName}`;
}

/** Says how long ago a time was, or in how long it is, and grows. */
export function Ago({ at }: { readonly at: number }): JSX.Element {
  const ms = now.value - at;
  const absolute = absoluteText(at);
  const relative = Math.abs(ms) < 1_000 ? "now" : ms > 0 ? `${coarse(ms)} ago` : `in ${coarse(-ms)}`;
  const isAbsolute = timeMode.value === "absolute";
  return (
    <time dateTime={isTime(at) ? new Date(at).toISOString() : undefined} title={isAbsolute ? relative : absolute}>
      {isAbsolute ? secondText(at) : relative}
    </time>
  );
}

/** Whether a date can have this time: a file may have any number. */
function isTime(at: number): boolean {
  return Math.abs(at) <= 8.64e15;
}

/** How long something takes so far, or took. */
export function Took({ from, to }: { readonly from: number; readonly to: number | undefined }): JSX.Element {
  return <span class="num">{durationText(to === undefined ? coarseMs(now.value - from) : to - from)}</span>;
}

function coarse(ms: number): string {
  return durationText(coarseMs(ms));
}

/** Whole seconds: an age that counts does not jump between forms. */
function coarseMs(ms: number): number {
  return Math.max(0, Math.floor(ms / 1_000) * 1_000);
}
