/**
 * The errors of starts that the step handler does not serve: another version of the protocol, an unknown workflow.
 */
import {
  type ErrorValue,
  type ExecutionStart,
  PAGED_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  errorValue,
} from "@holdfast/protocol";

/**
 * Returns the error of a start of another version of the protocol, or `undefined` (VER2). The other fields of such a start
 * may have any form: a handler reads none of them, and makes no execution of them (SEC10).
 */
export function otherVersion({ protocol }: ExecutionStart): ErrorValue | undefined {
  if (protocol === PROTOCOL_VERSION || protocol === PAGED_PROTOCOL_VERSION) return undefined;
  const versions = `The orchestrator uses version ${protocol} of the protocol, this step handler version ${PROTOCOL_VERSION}.`;
  return errorValue("PROTOCOL_MISMATCH", `${versions} Deploy versions of both sides that fit, then retry the run.`);
}

export function notServed({ workflowId, workflowVersion }: ExecutionStart): string {
  const which = workflowVersion === undefined ? "" : ` in version ${JSON.stringify(workflowVersion)}`;
  return `The step handler does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its workflows, or deploy the version again.`;
}
