/**
 * The workflows that a dispatcher serves, for answers of the API.
 *
 * Owns: asking the step handler, the check of its answer, and the refusal of a trigger whose workflow is not served (API8).
 * A dispatcher with `describe` answers that without a call, so the state machine refuses such a trigger itself.
 */
import type { ChildTrigger, Description, RunHostOptions, SendResult, TriggerInput } from "@holdfast/orchestrator";
import {
  type ErrorValue,
  HoldfastError,
  type StepDispatcher,
  type WorkflowDescription,
  errorValue,
  toErrorValue,
} from "@holdfast/protocol";
import { isRecord } from "@holdfast/protocol/messages";
import { Misconfigured, reportMisconfigured } from "../options.ts";
import { ApiRefusal } from "../refusal.ts";
import { type CallersView, NOTHING } from "./commands.ts";

/** The maximum number of workflows in the message of a refusal. */
const LISTED_MAX = 50;

/** How long a trigger waits for the list, ms. Then the run is accepted, as when the step handler is down (DUR8). */
const TRIGGER_WAIT_MS = 2_000;
/** How long a run waits for the list that its limits need, ms. Less than until it asks again (UD2). */
const RUN_WAIT_MS = 20_000;
/** How long a list counts as new, ms. A workflow that is not in it makes the next trigger ask again. */
const FRESH_MS = 60_000;
/** How long no trigger asks after a failure, ms. */
const FAILURE_MS = 5_000;

interface Known {
  readonly at: number;
  /** The last list that the step handler has sent. */
  readonly list?: readonly WorkflowDescription[] | undefined;
  /** Why the step handler did not answer at that time. */
  readonly failed?: ErrorValue | undefined;
}

const known = new WeakMap<StepDispatcher, Known>();

/**
 * Asks the step handler for its workflows.
 * @throws ApiRefusal `dispatcher_unreachable`, `misconfigured`
 */
export async function listWorkflows(dispatcher: StepDispatcher): Promise<readonly WorkflowDescription[]> {
  try {
    const list = await askForList(dispatcher);
    return list.map(({ flow: _flow, ...shown }) => shown);
  } catch (error) {
    console.error("holdfast: the step handler could not list its workflows", error);
    if (error instanceof Misconfigured) throw error;
    throw new ApiRefusal(
      "dispatcher_unreachable",
      "The step handler cannot be reached, or its answer is invalid; the log has the details. Runs wait for it. Try again later.",
    );
  }
}

/** @throws Misconfigured if the dispatcher says that it is wired wrong. */
async function askForList(dispatcher: StepDispatcher): Promise<readonly WorkflowDescription[]> {
  try {
    const list: unknown = await dispatcher.workflows();
    if (!Array.isArray(list)) throw new TypeError("The list of workflows is not a list.");
    return list.map(checked);
  } catch (error) {
    const isMistake = error instanceof HoldfastError && error.code === "INVALID_ARGUMENT";
    throw isMistake ? new Misconfigured(error.message, error.message) : error;
  }
}

/** @throws TypeError */
function checked(one: unknown): WorkflowDescription {
  if (!isRecord(one) || typeof one["id"] !== "string") throw new TypeError("A listed workflow has no id.");
  const { id, version, description, tags, timeoutMs, inputSchema, flow } = one as unknown as WorkflowDescription;
  const shown = { id, version, description, tags, timeoutMs, inputSchema };
  return { ...shown, ...(flow === undefined ? {} : { flow }) } as WorkflowDescription;
}

/** What a trigger says about its workflow. */
type Wanted = Pick<ChildTrigger, "workflowId" | "workflowVersion" | "inherited">;

/** What is known of the workflow of a trigger. Both absent: the dispatcher describes it itself, or there are no descriptions. */
export type Listed = Pick<TriggerInput, "listed" | "undescribed">;

/**
 * Refuses a trigger if the dispatcher has no `describe` and its step handler does not serve the workflow. A step handler
 * that cannot be reached, or that lists nothing, refuses no trigger.
 * @throws ApiRefusal `workflow_not_found`, `misconfigured`
 */
export async function refuseUnserved(
  dispatcher: StepDispatcher,
  wanted: Wanted,
  view: CallersView,
  now: number,
): Promise<Listed> {
  if (dispatcher.describe !== undefined) return {};
  const list = await freshList(dispatcher, wanted, now);
  // A resumed run is not collected.
  if (list === undefined) return { undescribed: wanted.inherited === undefined ? { collects: true } : {} };
  const listed = findListed(list, wanted);
  if (listed !== undefined || list.length === 0) return { listed };
  const { workflowId, workflowVersion: version } = wanted;
  const which = version === undefined ? "" : ` in version ${JSON.stringify(version)}`;
  const message = `The step handler does not serve the workflow ${JSON.stringify(workflowId)}${which}. Add it to its list of workflows.`;
  throw notServedIn(list, message, view);
}

/** Refuses the start of a tick whose workflow the step handler does not serve (SCH12). */
export async function refusalOfTick(
  dispatcher: StepDispatcher,
  wanted: Wanted,
  now: number,
): Promise<SendResult | undefined> {
  try {
    await refuseUnserved(dispatcher, wanted, NOTHING, now);
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    return { type: "refused", error: errorValue("WORKFLOW_NOT_FOUND", error.message) };
  }
}

/** The same for a trigger that is not refused here. */
export async function listedWorkflow(dispatcher: StepDispatcher, wanted: Wanted, now: number): Promise<Listed> {
  if (dispatcher.describe !== undefined) return {};
  const list = await freshList(dispatcher, wanted, now).catch(() => undefined);
  const listed = list && findListed(list, wanted);
  return listed !== undefined || list?.length === 0 ? { listed } : { undescribed: {} };
}

/** Returns the function that answers undescribed runs (L9). */
export function describing(dispatcher: StepDispatcher, clock: () => number): NonNullable<RunHostOptions["describe"]> {
  return (workflowId, workflowVersion) => describeWorkflow(dispatcher, { workflowId, workflowVersion }, clock());
}

async function describeWorkflow(dispatcher: StepDispatcher, wanted: Wanted, now: number): Promise<Description> {
  const { workflowId, workflowVersion } = wanted;
  if (dispatcher.describe !== undefined) return { workflow: dispatcher.describe(workflowId, workflowVersion) };
  try {
    const list = await freshList(dispatcher, wanted, now, RUN_WAIT_MS);
    if (list === undefined) return { error: known.get(dispatcher)?.failed ?? NO_LIST };
    return list.length === 0 ? {} : { workflow: findListed(list, wanted) ?? null };
  } catch (error) {
    // The dispatcher is wired wrong.
    return { error: errorValue("DISPATCH_REFUSED", toErrorValue(error).message) };
  }
}

/** A list that is new, or the last known one while the step handler does not answer. */
async function freshList(
  dispatcher: StepDispatcher,
  wanted: Wanted,
  now: number,
  waitMs = TRIGGER_WAIT_MS,
): Promise<readonly WorkflowDescription[] | undefined> {
  const last = known.get(dispatcher);
  // The clock may be set back.
  const age = Math.abs(now - (last?.at ?? -Infinity));
  if (last !== undefined && age < FAILURE_MS && last.failed !== undefined) return last.list;
  if (last?.list !== undefined && age < FRESH_MS && findListed(last.list, wanted) !== undefined) return last.list;
  const list = await listInTime(dispatcher, waitMs);
  known.set(dispatcher, { at: now, list: last?.list, ...list });
  return list.list ?? last?.list;
}

const NO_LIST = errorValue("DISPATCH_FAILED", "The step handler did not list its workflows in time.");

/** Returns the list, or why there is none in time. */
async function listInTime(dispatcher: StepDispatcher, waitMs: number): Promise<Pick<Known, "list" | "failed">> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<{ readonly failed: ErrorValue }>((resolve) => {
    timer = setTimeout(() => resolve({ failed: NO_LIST }), waitMs);
  });
  try {
    return await Promise.race([askForList(dispatcher).then((list) => ({ list })), late]);
  } catch (error) {
    if (error instanceof Misconfigured) throw reportMisconfigured(error);
    const { code, message } = toErrorValue(error);
    return {
      failed: errorValue(
        code === "DISPATCH_REFUSED" || code === "PROTOCOL_MISMATCH" ? code : "DISPATCH_FAILED",
        message,
      ),
    };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Returns the description of the code that a list has for a run (RUN4): of its version, or code without a version. The version
 * is left out: the list may be older than the code, and a run keeps its version.
 */
function findListed(
  list: readonly WorkflowDescription[],
  { workflowId, workflowVersion }: Wanted,
): WorkflowDescription | undefined {
  const found = list.filter(({ id }) => id === workflowId);
  const one =
    workflowVersion === undefined
      ? found.at(-1)
      : (found.find(({ version }) => version === workflowVersion) ??
        found.find(({ version }) => version === undefined));
  if (one === undefined) return undefined;
  const { version: _version, ...described } = one;
  return described;
}

/** Returns the refusal of a trigger that the state machine has refused. */
export async function notServed(dispatcher: StepDispatcher, message: string, view: CallersView): Promise<ApiRefusal> {
  return notServedIn(view.workflows ? await dispatcher.workflows() : [], message, view);
}

/** For callers who may list the workflows, the message names them (SEC7). */
function notServedIn(list: readonly WorkflowDescription[], message: string, { workflows }: CallersView): ApiRefusal {
  const names = list.slice(0, LISTED_MAX).map(nameOf).join(", ");
  return new ApiRefusal("workflow_not_found", workflows ? `${message} It serves: ${names || "none"}.` : message);
}

function nameOf({ id, version }: WorkflowDescription): string {
  return JSON.stringify(id) + (version === undefined ? "" : ` (version ${version})`);
}
