/**
 * How all pages show times (T8): relative or absolute, in local time or UTC.
 *
 * Owns: the choices of the reader, which stay in this browser.
 */
import { type Signal, signal } from "@preact/signals";
import { formatAbsolute } from "../timeline/times.ts";
import { readChoice, writeChoice } from "./choice.ts";

const MODE_KEY = "holdfast.times";
const ZONE_KEY = "holdfast.zone";

export const timeMode: Signal<"relative" | "absolute"> = signal(
  readChoice(MODE_KEY) === "absolute" ? "absolute" : "relative",
);
export const timeZone: Signal<"utc" | "local"> = signal(readChoice(ZONE_KEY) === "utc" ? "utc" : "local");

export function toggleTimeMode(): void {
  timeMode.value = timeMode.value === "relative" ? "absolute" : "relative";
  writeChoice(MODE_KEY, timeMode.value === "relative" ? undefined : timeMode.value);
}

export function toggleTimeZone(): void {
  timeZone.value = timeZone.value === "utc" ? "local" : "utc";
  writeChoice(ZONE_KEY, timeZone.value === "local" ? undefined : timeZone.value);
}

/** Returns date and time in the zone of the reader, to the millisecond. A component that calls it follows the choice. */
export function absoluteText(at: number): string {
  return formatAbsolute(at, timeZone.value);
}

/** As `absoluteText`, to the second: for places where many times stand. */
export function secondText(at: number): string {
  const text = absoluteText(at);
  return text.replace(/\.\d{3} /, " ");
}
