/**
 * The end of every page: how times are shown (T8).
 */
import type { JSX } from "preact";
import { timeMode, timeZone, toggleTimeMode, toggleTimeZone } from "./ui/time-format.ts";

export function Footer(): JSX.Element {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <footer class="bar-bottom">
      <span class="muted">Times</span>
      <button
        type="button"
        class="quiet"
        aria-pressed={timeMode.value === "absolute"}
        aria-keyshortcuts="t"
        onClick={toggleTimeMode}
      >
        Absolute
      </button>
      <button type="button" class="quiet" aria-pressed={timeZone.value === "utc"} onClick={toggleTimeZone}>
        UTC
      </button>
      <span class="muted">{timeZone.value === "utc" ? "Times are in UTC." : `Times are in ${zone}.`}</span>
    </footer>
  );
}
