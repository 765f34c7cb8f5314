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
/** How long the last known list counts as new while the step handler does not answer, ms. */
const FAILURE_MS = 5_000;

interface Known {
  /** Until when the list counts as new, ms since 1970. */
  readonly until: number;
  readonly list: readonly DecidingWorkflow[];
}

const known = new WeakMap<StepDispatcher, Known>();

/**
 * Returns the served workflows with their declarations. While the step handler does not answer, the last known ones count.
 * @throws ApiRefusal `dispatcher_unreachable`
 * @throws Misconfigured if a declaration is invalid, with its place.
 */
export async function decidingWorkflows(dispatcher: StepDispatcher, now: number): Promise<readonly DecidingWorkflow[]> {
  const last = known.get(dispatcher);
  const isNew = last !== undefined && (dispatcher.describe !== undefined || isWithin(now, last.until));
  if (isNew) return last.list;
  const given = await listed(dispatcher, last !== undefined);
  const next: Known =
    given === undefined && last !== undefined
      ? { until: now + FAILURE_MS, list: last.list }
      : { until: now + FRESH_MS, list: declaredBy(given ?? [], dispatcher) };
  known.set(dispatcher, next);
  return next.list;
}

/** A clock that was set back makes no list last longer. */
function isWithin(now: number, until: number): boolean {
  return now < until && now >= until - FRESH_MS;
}

/** `isKnown`: an earlier list counts instead, so nothing is thrown. */
async function listed(
  dispatcher: StepDispatcher,
  isKnown: boolean,
): Promise<readonly WorkflowDescription[] | undefined> {
  try {
    return await dispatcher.workflows();
  } catch (error) {
    console.error("holdfast: the step handler could not list its workflows", error);
    if (isKnown) return undefined;
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
