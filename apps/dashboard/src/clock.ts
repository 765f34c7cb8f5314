/**
 * The time, as the server has it.
 *
 * Owns: the difference between the clocks, and the signal that makes ages grow. The difference counts from two seconds on:
 * the header `Date` has whole seconds.
 */
import { type ReadonlySignal, signal } from "@preact/signals";

const TICK_MS = 1_000;
const SKEW_MS_MIN = 2_000;

let skewMs = 0;

export function serverNow(): number {
  return Date.now() + skewMs;
}

export function noteServerTime(date: string | null): void {
  const at = Date.parse(date ?? "");
  if (Number.isNaN(at)) return;
  const difference = at - Date.now();
  skewMs = Math.abs(difference) >= SKEW_MS_MIN ? difference : 0;
}

const ticking = signal(serverNow());

/** The time, once a second while the page is visible. */
export const now: ReadonlySignal<number> = ticking;

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) ticking.value = serverNow();
  }, TICK_MS);
}
