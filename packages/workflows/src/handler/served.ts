/**
 * What a step handler says of the workflows that it serves.
 */
import type { ExecutionStart, WorkflowDescription } from "@holdfast/protocol";

export function describeWorkflow(workflow: WorkflowDescription): WorkflowDescription {
  const { id, version, description, tags, timeoutMs } = workflow;
  return {
    id,
    ...(version === undefined ? {} : { version }),
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

export function notServed({ workflowId, workflowVersion }: ExecutionStart): string {
  const which = workflowVersion === undefined ? "" : ` in version ${JSON.stringify(workflowVersion)}`;
  return `The step handler does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its workflows, or deploy the version again.`;
}
