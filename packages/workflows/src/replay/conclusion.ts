/**
 * Concludes an execution whose function has ended.
 *
 * Owns: the order: abort the executing bodies and wait for them for a bounded time (STEP6), report the remaining
 * operations, then report the end.
 */
import { describeOperation } from "@holdfast/protocol";
import { announce } from "./announcements.ts";
import type { Next, SchedulerHost } from "./scheduler-host.ts";
import { type FunctionEnd, endEvent } from "./run-end.ts";

export function conclude(host: SchedulerHost, end: FunctionEnd): Next {
  const { reporter } = host;
  if (!host.bodies.windDown("all", () => host.schedule())) return "rest";
  for (const step of host.operations.dropSteps()) {
    host.log.warn(`The function ended without awaiting ${describeOperation(step)}, so it was not executed.`);
  }
  announce(host);
  reporter.flush();
  if (host.over || !reporter.idle) return "rest";
  if (host.feed.peek() !== undefined) return "again";
  return reportEnd(host, host.unwinding.unwound ? { type: "left" } : end);
}

/** Reports the end. The execution stops when the report is durable. */
export function reportEnd(host: SchedulerHost, end: FunctionEnd): Next {
  host.reporter.send(endEvent(end, host.start, (error) => host.operations.stepOf(error)));
  return "rest";
}
