/**
 * The dispatcher's descriptions of its workflows, for the creation of a run (RUN4, RUN6).
 *
 * Owns: the defaults of a trigger from its workflow's definition, and the refusal of a workflow that is not served.
 */
import type { ChildTrigger } from "@holdfast/orchestrator";
import type { StepDispatcher, WorkflowDescription } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";

/** The maximum number of workflows in the message of a refusal. */
const LISTED_MAX = 50;

/** Returns the trigger with the defaults of its workflow's definition. */
export function withDefaults(trigger: ChildTrigger, described: WorkflowDescription | null | undefined): ChildTrigger {
  return {
    ...trigger,
    workflowVersion: trigger.workflowVersion ?? described?.version,
    tags: [...new Set([...(described?.tags ?? []), ...trigger.tags])],
    timeoutMs: trigger.timeoutMs ?? described?.timeoutMs,
  };
}

/** Returns the description of a workflow; `null`: not served; `undefined`: the dispatcher cannot know without a call. */
export function lookUpWorkflow(
  dispatcher: StepDispatcher,
  { workflowId, workflowVersion }: ChildTrigger,
): WorkflowDescription | null | undefined {
  return dispatcher.describe?.(workflowId, workflowVersion);
}

/** Returns a refusal that lists the served workflows. */
export async function notServed(dispatcher: StepDispatcher, trigger: ChildTrigger): Promise<ApiRefusal> {
  const { workflowId, workflowVersion: version } = trigger;
  const names = (await dispatcher.workflows()).slice(0, LISTED_MAX).map(nameOf).join(", ");
  const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
  return new ApiRefusal(
    "workflow_not_found",
    `This deployment does not serve the workflow ${JSON.stringify(workflowId)}${which}. It serves: ${names || "none"}.`,
  );
}

function nameOf({ id, version }: WorkflowDescription): string {
  return JSON.stringify(id) + (version === undefined ? "" : ` (version ${version})`);
}
