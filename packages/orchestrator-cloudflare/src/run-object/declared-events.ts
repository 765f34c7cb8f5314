/**
 * What the served workflows declare about events.
 *
 * Owns: reading the declarations of a dispatcher, and their check (EVT2). Of several versions of a workflow, the newest counts:
 * the last one of the list.
 */
import { type DecidingWorkflow, eventUseProblem } from "@holdfast/orchestrator";
import type { StepDispatcher, WorkflowDescription } from "@holdfast/protocol";
import { Misconfigured, reportMisconfigured } from "../options.ts";
import { ApiRefusal } from "../refusal.ts";

/** How long a list of a step handler in another process counts as new, ms. */
const FRESH_MS = 60_000;

const known = new WeakMap<StepDispatcher, { readonly at: number; readonly list: readonly DecidingWorkflow[] }>();

/**
 * Returns the served workflows with their declarations.
 * @throws ApiRefusal `dispatcher_unreachable`
 * @throws Misconfigured if a declaration is invalid, with its place.
 */
export async function decidingWorkflows(dispatcher: StepDispatcher, now: number): Promise<readonly DecidingWorkflow[]> {
  const last = known.get(dispatcher);
  if (last !== undefined && (dispatcher.describe !== undefined || now - last.at < FRESH_MS)) return last.list;
  const list = declaredBy(await listed(dispatcher), dispatcher);
  known.set(dispatcher, { at: now, list });
  return list;
}

async function listed(dispatcher: StepDispatcher): Promise<readonly WorkflowDescription[]> {
  try {
    return await dispatcher.workflows();
  } catch (error) {
    console.error("holdfast: the step handler could not list its workflows", error);
    throw new ApiRefusal(
      "dispatcher_unreachable",
      "The step handler cannot be reached, so it is unknown what the event does. Nothing was stored. Send it again.",
    );
  }
}

function declaredBy(list: readonly WorkflowDescription[], dispatcher: StepDispatcher): readonly DecidingWorkflow[] {
  const newest = new Map(list.map((workflow) => [workflow.id, workflow]));
  return [...newest.values()].map((workflow) => {
    const { id, version } = workflow;
    // The list is data. Functions and schemas are where the code is.
    const { on, cancelOn, events } = (dispatcher.describe?.(id, version) ?? workflow).flow ?? {};
    const problem = eventUseProblem({ id, on, cancelOn, events });
    if (problem !== undefined) throw reportMisconfigured(new Misconfigured(`${problem}.`));
    return { id, version, on, cancelOn, events };
  });
}
