/**
 * Concludes an execution whose function has ended.
 *
 * Owns: the order: bodies that still execute are stopped and awaited for a while (STEP6), the rest of what the function
 * asked for is reported, then its end.
 */
import { describeOperation } from "@holdfast/protocol";
import { CancelledError } from "../errors.ts";
import { announce } from "./announcements.ts";
import type { Next, SchedulerHost } from "./scheduler-host.ts";
import { type FunctionEnd, endEvent } from "./run-end.ts";

export function conclude(host: SchedulerHost, end: FunctionEnd): Next {
  const { reporter } = host;
  if (!host.bodies.wind("all", () => host.schedule())) return "rest";
  for (const step of host.operations.dropSteps()) {
    host.log.warn(`The function ended without awaiting ${describeOperation(step)}, so it was not executed.`);
  }
  announce(host);
  reporter.flush();
  if (host.over || !reporter.idle) return "rest";
  if (host.feed.peek() !== undefined) return "again";
  return reportEnd(host, host.unwinding.unwound ? { type: "left" } : end);
}

/** Reports the end, and stops when it is durable. */
export function reportEnd(host: SchedulerHost, end: FunctionEnd): Next {
  const { reporter } = host;
  reporter.say(endEvent(end, host.start, (error) => host.operations.stepOf(error)));
  if (!host.over && reporter.idle) host.stop(new CancelledError("The run has ended."));
  return "rest";
}
