/**
 * The message for a workflow that the step handler does not serve.
 */
import type { ExecutionStart } from "@holdfast/protocol";

export function notServed({ workflowId, workflowVersion }: ExecutionStart): string {
  const which = workflowVersion === undefined ? "" : ` in version ${JSON.stringify(workflowVersion)}`;
  return `The step handler does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its workflows, or deploy the version again.`;
}
