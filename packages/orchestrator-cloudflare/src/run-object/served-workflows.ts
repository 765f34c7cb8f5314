/**
 * What the dispatcher knows of the workflows that it serves, for a run that is to be created (RUN4, RUN6).
 *
 * Owns: the defaults that a workflow's own definition gives a trigger, and the refusal of a workflow that is not served.
 */
import type { ChildTrigger } from "@holdfast/orchestrator";
import type { StepDispatcher, WorkflowDescription } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";

/** Names of workflows that one refusal lists. */
const LISTED_MAX = 50;

/** The trigger with the defaults of its workflow's definition. */
export function withDefaults(trigger: ChildTrigger, described: WorkflowDescription | null | undefined): ChildTrigger {
  return {
    ...trigger,
    workflowVersion: trigger.workflowVersion ?? described?.version,
    tags: [...new Set([...(described?.tags ?? []), ...trigger.tags])],
    timeoutMs: trigger.timeoutMs ?? described?.timeoutMs,
  };
}

/** `null`: not served. `undefined`: the dispatcher would have to ask elsewhere. */
export function describeWorkflow(
  dispatcher: StepDispatcher,
  { workflowId, workflowVersion }: ChildTrigger,
): WorkflowDescription | null | undefined {
  return dispatcher.describe?.(workflowId, workflowVersion);
}

/** Names what is served instead. */
export async function notServed(dispatcher: StepDispatcher, trigger: ChildTrigger): Promise<ApiRefusal> {
  const { workflowId, workflowVersion: version } = trigger;
  const names = (await dispatcher.workflows()).slice(0, LISTED_MAX).map(nameOf).join(", ");
  const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
  return new ApiRefusal(
    "workflow_not_found",
    `No workflow ${JSON.stringify(workflowId)}${which} is served here. Served are: ${names || "none"}.`,
  );
}

function nameOf({ id, version }: WorkflowDescription): string {
  return JSON.stringify(id) + (version === undefined ? "" : ` (version ${version})`);
}
