/**
 * What is told of operations that need no body.
 *
 * Owns: from what was asked for to an event: waits, children, changes, outcomes that are taken over, and `once` steps
 * that were interrupted.
 */
import type { OperationEvents } from "@holdfast/protocol";
import type { OpenOperation } from "./operation.ts";
import type { Operations } from "./operations.ts";
import { interruptedEvent } from "./step-body.ts";

/** Takes what is fresh and needs no body, and says what there is to tell of it. */
export function announcements(operations: Operations, now: number): OperationEvents[] {
  return operations.takeFresh().flatMap((operation) => {
    const event = announcement(operation, operations.isInherited(operation.id), now);
    return event === undefined ? [] : [event];
  });
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
      return interruptedEvent(operation, now);
    case "wait":
      return journaled ? undefined : { type: "wait.opened", op, nth, ...request.wait };
    case "child":
      return journaled ? undefined : { type: "child.started", op, nth, ...request.child };
    case "unwind":
      return undefined;
  }
}
