/**
 * The inline pipe: workflow code runs in the run's own Durable Object.
 *
 * Owns: the lookup of the code. A report is a synchronous call that commits. The platform's output gate makes the commit
 * durable before any output leaves the object, so no report awaits a write, and a sequence of steps costs microseconds.
 */
import { checkOrder } from "@holdfast/orchestrator";
import {
  type LiveExecution,
  type StepDispatcher,
  type WorkflowDefinition,
  WorkflowIndex,
  defined,
  describeServed,
  describeWorkflow,
  errorValue,
  flowOf,
} from "@holdfast/protocol";
import * as v from "valibot";
import { checkOptions } from "../options.ts";

export interface InlineDispatcherOptions {
  /** The workflows to serve, as `workflow()` of @holdfast/workflows returns them. */
  readonly workflows: readonly WorkflowDefinition[];
}

const OPTIONS = v.strictObject({
  // `WorkflowIndex` checks the list.
  workflows: v.any(),
} satisfies Record<keyof InlineDispatcherOptions, v.GenericSchema>);

/**
 * @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7), or if two different functions have the same id and
 *   version (RUN8), or for a declaration of flow control that is refused (FLOW1).
 */
export function createInlineDispatcher(options: InlineDispatcherOptions): StepDispatcher {
  checkOptions(OPTIONS, options, "createInlineDispatcher");
  const { workflows } = options;
  const index = new WorkflowIndex(workflows);
  checkOrder(index.all.map(({ id, flow }) => ({ id, ...defined({ flow: flowOf(flow) }) })));
  return {
    start(start, port) {
      const found = index.find(start.workflowId, start.workflowVersion);
      if (found !== undefined) return found.execute(start, port);
      queueMicrotask(() =>
        port.lost(errorValue("WORKFLOW_NOT_FOUND", notServed(start.workflowId, start.workflowVersion))),
      );
      return NO_EXECUTION;
    },
    readsPages: (workflowId, version) => index.find(workflowId, version)?.readsPages === true,
    workflows: () => index.all.map(describeWorkflow),
    describe: (workflowId, version) => describeServed(index.find(workflowId, version)),
  };
}

const NO_EXECUTION: LiveExecution = { update: () => {}, abort: () => {} };

function notServed(workflowId: string, version: string | undefined): string {
  const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
  return `This deployment does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its list of workflows.`;
}
