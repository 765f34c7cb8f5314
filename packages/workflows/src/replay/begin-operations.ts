/**
 * Begins what the function has asked for.
 *
 * Owns: the order: first what needs no body, then the steps that are due. A body starts when everything reported before
 * is durable (X3).
 */
import { announce } from "./announcements.ts";
import type { Next, SchedulerHost } from "./scheduler-host.ts";

/** Reports all that needs no body; leaves the steps that are to be executed. */
export function announceFresh(host: SchedulerHost): void {
  const { operations, reporter, bodies } = host;
  // What the function asked for before the run unwinds comes first.
  announce(host);
  const unwinds = operations.takeUnwind();
  if (unwinds === undefined) return;
  // Nothing may execute any more when the run unwinds (STEP6).
  if (bodies.wind("forward", () => host.schedule())) reporter.add(unwinds);
  else operations.putBackUnwind();
}

/** Starts the bodies whose time has come. Undefined: there are none, or what was reported is not durable yet (X3). */
export function startBodies(host: SchedulerHost): Next | undefined {
  const { operations, reporter } = host;
  const ready = operations.ready(host.now);
  if (ready.length === 0) return undefined;
  for (const operation of ready) {
    const event = operations.announceBody(operation, host.platform.now());
    if (event !== undefined) reporter.add(event);
  }
  if (host.phase === "parked") reporter.add({ type: "unparked" });
  host.unpark();
  reporter.flush();
  // The answer comes later, or brought entries that change what is ready: the next round sees.
  if (host.over || !reporter.idle) return undefined;
  if (host.feed.peek() !== undefined) return "again";
  for (const operation of ready) {
    const step = operations.begin(operation);
    if (step !== undefined) host.bodies.start(operation, step, host.log);
  }
  return "at once";
}
