/**
 * The inline pipe: workflow code runs in the run's own object.
 *
 * Owns: finding the code. A report is a synchronous call that commits; the output gate makes it durable before anything
 * of it can be seen, so nothing is awaited and a sequence of steps costs microseconds.
 */
import {
  type LiveExecution,
  type StepDispatcher,
  type WorkflowDefinition,
  WorkflowIndex,
  describeWorkflow,
  errorValue,
} from "@holdfast/protocol";

export interface InlineDispatcherOptions {
  /** What `workflow()` of @holdfast/workflows returned, for each workflow that is served. */
  readonly workflows: readonly WorkflowDefinition[];
}

/**
 * @throws HoldfastError `INVALID_ARGUMENT` if two different functions share one id and version (RUN8).
 */
export function createInlineDispatcher({ workflows }: InlineDispatcherOptions): StepDispatcher {
  const index = new WorkflowIndex(workflows);
  return {
    start(start, port) {
      const found = index.find(start.workflowId, start.workflowVersion);
      if (found !== undefined) return found.execute(start, port);
      queueMicrotask(() =>
        port.lost(errorValue("WORKFLOW_NOT_FOUND", notServed(start.workflowId, start.workflowVersion))),
      );
      return NOTHING_LIVE;
    },
    workflows: () => index.all.map(describeWorkflow),
    describe(workflowId, version) {
      const found = index.find(workflowId, version);
      return found === undefined ? null : describeWorkflow(found);
    },
  };
}

const NOTHING_LIVE: LiveExecution = { update: () => {}, abort: () => {} };

function notServed(workflowId: string, version: string | undefined): string {
  const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
  return `This deployment does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its list of workflows.`;
}
