/**
 * Announces operations that need no body.
 *
 * Owns: the translation of requested operations into events: waits, children, metadata changes, inherited outcomes, and
 * interrupted `once` steps.
 */
import type { OperationEvents } from "@holdfast/protocol";
import type { OpenOperation } from "./operation.ts";
import type { SchedulerHost } from "./scheduler-host.ts";
import { failedEvent } from "./step-body.ts";

/** Adds the events of releases, races and the new operations that need no body to the next report, in this order. */
export function announce({ operations, races, reporter, platform }: SchedulerHost): void {
  for (const event of races.takeEvents()) reporter.add(event);
  for (const operation of operations.takeFresh()) {
    const event = announcement(operation, operations.isInherited(operation.id), platform.now());
    if (event !== undefined) reporter.add(event);
  }
}

function announcement(operation: OpenOperation, inherited: boolean, now: number): OperationEvents | undefined {
  const { id: op, nth, request, journaled, settled } = operation;
  if (request.type === "metadata")
    return journaled ? undefined : { type: "metadata.changed", op, nth, change: request.change };
  if (settled) return undefined;
  if (inherited) {
    const compensable = request.type === "step" && request.step.compensate !== undefined;
    return { type: "inherited", op, nth, ...(compensable ? { compensable } : {}) };
  }
  switch (request.type) {
    case "step":
      return failedEvent(operation, now);
    case "wait":
      return journaled ? undefined : { type: "wait.opened", op, nth, ...request.wait };
    case "child":
      return journaled ? undefined : { type: "child.started", op, nth, ...request.child };
    case "unwind":
      return undefined;
  }
}
