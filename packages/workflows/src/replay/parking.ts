/**
 * Parks a run that only waits (RUN1).
 *
 * Owns: the conditions. Executing bodies, reports in flight and due retries prevent parking.
 */
import type { Next, SchedulerHost } from "./scheduler-host.ts";
import type { SettledLevel } from "./quiescence.ts";

/** Reports that the run only waits, if the function has been idle for a whole turn. */
export function park(host: SchedulerHost, level: SettledLevel): Next {
  const { reporter, operations, feed } = host;
  // The answer of a report in flight may contain outcomes: decide after it.
  if (reporter.inFlight) return "rest";
  const waits = host.bodies.count === 0 && operations.open > 0 && host.phase !== "parked";
  if (waits && level !== "turn") return "turn";
  if (waits) {
    host.phase = "parked";
    reporter.add({ type: "parked", seq: feed.lastSeq, now: host.now });
  }
  reporter.flush();
  const more = feed.peek() !== undefined || operations.ready(host.now).length > 0;
  return more && reporter.idle ? "again" : "rest";
}
