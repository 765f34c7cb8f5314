/**
 * Parks a run that only waits (RUN1).
 *
 * Owns: being sure of it. Bodies, reports in flight and retries that are due keep a run from parking.
 */
import type { Next, SchedulerHost } from "./scheduler-host.ts";
import type { SettledLevel } from "./quiescence.ts";

/** Reports that there is nothing left to do, if the function has settled for a whole turn. */
export function park(host: SchedulerHost, level: SettledLevel): Next {
  const { reporter, operations, feed } = host;
  // A report in flight may bring outcomes: whether there is nothing to do is known when it is answered.
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
