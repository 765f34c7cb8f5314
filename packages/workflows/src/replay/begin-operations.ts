/**
 * Starts the operations that the function has requested.
 *
 * Owns: the order: first operations that need no body, then the due steps. A body starts only when all earlier reports
 * are durable (X3).
 */
import { announce } from "./announcements.ts";
import type { Next, SchedulerHost } from "./scheduler-host.ts";

/** Adds the events of all operations that need no body, then the start of the unwinding, to the next report. */
export function announceFresh(host: SchedulerHost): void {
  const { operations, reporter, bodies } = host;
  // Operations from before the unwinding come first.
  announce(host);
  const unwinds = operations.takeUnwind();
  if (unwinds === undefined) return;
  // All bodies except compensations must have ended before the run unwinds (STEP6).
  if (bodies.windDown("forward", () => host.schedule())) reporter.add(unwinds);
  else operations.putBackUnwind();
}

/** Starts the bodies that are due and have their places. Returns undefined if there is none, or if a report is not durable yet (X3). */
export function startBodies(host: SchedulerHost): Next | undefined {
  const { operations, reporter } = host;
  const due = operations.ready(host.now);
  if (due.length === 0) return undefined;
  const ready = due.filter((operation) => {
    const { places } = operations;
    // Those before it may have asked for all that one run may ask for.
    if (places.waits(operation)) return false;
    const event = places.ask(operation);
    if (event !== undefined) reporter.add(event);
    return event === undefined;
  });
  for (const operation of ready) {
    const event = operations.announceBody(operation, host.platform.now());
    if (event !== undefined) reporter.add(event);
  }
  if (host.phase === "parked") reporter.add({ type: "unparked" });
  host.unpark();
  reporter.flush();
  // The answer is pending, or it contained entries that change the due steps: the next round handles them.
  if (host.over || !reporter.idle) return undefined;
  if (host.feed.peek() !== undefined) return "again";
  if (ready.length === 0) return undefined;
  for (const operation of ready) {
    const step = operations.begin(operation);
    if (step !== undefined) host.bodies.start(operation, step, host.log);
  }
  return "at once";
}
