/**
 * Announces operations that need no body.
 *
 * Owns: the translation of requested operations into events: waits, children, metadata changes, inherited outcomes, and
 * `once` steps that are not executed again.
 */
import type { OperationEvents } from "@holdfast/protocol";
import type { OpenOperation } from "./operation.ts";
import type { SchedulerHost } from "./scheduler-host.ts";
import { failedEvent, refusedEvent } from "./step-body.ts";

/** Adds the events of releases, races and the new operations that need no body to the next report, in this order. */
export function announce(host: SchedulerHost): void {
  const { operations, races, shields, reporter, platform } = host;
  const fresh = operations.takeFresh((next) => host.holds(next));
  for (const event of [...shields.takeEvents(), ...races.takeEvents(fresh)]) reporter.add(event);
  for (const operation of fresh) {
    const event = announcement(operation, platform.now());
    if (event !== undefined) reporter.add(event);
  }
}

function announcement(operation: OpenOperation, now: number): OperationEvents | undefined {
  const { id, request, journaled, settled, heirOf } = operation;
  if (request.type === "metadata")
    return journaled ? undefined : { type: "metadata.changed", ...operation.about(), change: request.change };
  if (settled) return undefined;
  if (heirOf === "") return refusedEvent(operation, now);
  if (heirOf !== undefined) {
    const compensable = request.type === "step" && request.step.compensate !== undefined;
    const from = heirOf === id ? {} : { from: heirOf };
    return { type: "inherited", ...operation.about(), ...from, ...(compensable ? { compensable } : {}) };
  }
  switch (request.type) {
    case "step":
      return failedEvent(operation, now);
    case "wait":
      return journaled ? undefined : { type: "wait.opened", ...operation.about(), ...request.wait };
    case "child":
      return journaled ? undefined : { type: "child.started", ...operation.about(), ...request.child };
    case "unwind":
      return undefined;
  }
}
