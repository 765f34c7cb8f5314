/**
 * The description of an undescribed run arrives.
 *
 * Owns: L9: the run gets what its trigger would have given it: limits, priority, time budget, tags, and the events that cancel
 * it. What its trigger would have been refused for, ends or pauses the run.
 */
import { type ErrorValue, HoldfastError, type WorkflowDescription, errorValue } from "@holdfast/protocol";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { type PlanRefusal, listOf, planHolds, planWindow } from "../flow/plan.ts";
import type { Draft } from "./draft/draft.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { end, pause, wake } from "./lifecycle.ts";
import { describingFailed } from "./recovery.ts";
import { readInput } from "./state/run-state.ts";
import { cancelOnEvents, storeInput, takeHolds, withDefaults } from "./trigger.ts";
import { UNDESCRIBED } from "./undescribed.ts";

/** Handles the answer of the step handler. One that comes late, or twice, is ignored. */
export function described(draft: Draft, { workflow, error }: Input & { type: "described" }): Reply {
  const { undescribed, status, schedule } = draft.header;
  if (undescribed?.askAt === undefined || status !== "pending") return { type: "done" };
  // The same as for a tick whose start finds the list (SCH12).
  if (workflow === null && schedule !== undefined) {
    end(draft, "failed", { error: { ...notServed(draft), category: "USER_ERROR" } });
    return { type: "done" };
  }
  const failure = workflow === null ? notServed(draft) : error;
  if (failure === undefined) apply(draft, workflow ?? undefined);
  else askLater(draft, failure);
  return { type: "done" };
}

/** The same delays, and the same end, as of a failed dispatch (DUR8). */
function askLater(draft: Draft, error: ErrorValue): void {
  draft.change({ undescribed: { ...draft.header.undescribed, askAt: undefined } });
  describingFailed(draft, error);
}

function notServed({ header: { workflowId } }: Draft): ErrorValue {
  const text = `The step handler does not serve the workflow ${JSON.stringify(workflowId)}.`;
  return errorValue("WORKFLOW_NOT_FOUND", text);
}

function apply(draft: Draft, workflow: WorkflowDescription | undefined): void {
  const { state, header, context } = draft;
  const given = readInput(state, header);
  const input = workflow && header.undescribed?.collects === true ? inputOf(workflow, given) : given;
  if (typeof input === "object") return refuse(draft, input);
  const plan = workflow && planHolds(workflow, input, context.coordinates === true, context.rev ?? 0);
  if (plan !== undefined && "code" in plan) return refuse(draft, plan);
  const { uses = [], createdAt, delayMs = 0 } = header;
  draft.change({ undescribed: undefined, dispatch: undefined, uses: uses.filter((name) => name !== UNDESCRIBED) });
  draft.change(withDefaults(draft.header, workflow));
  if (input !== given) {
    draft.change({ batched: true });
    storeInput(draft, input);
  }
  // Its place in each queue is that of its trigger (L4).
  if (plan !== undefined) takeHolds(draft, plan, undefined, createdAt + delayMs);
  cancelOnEvents(draft, input, workflow);
  wake(draft);
}

/** The input of the run: of a batch, the list of one. */
function inputOf(workflow: WorkflowDescription, input: string): string | Refused {
  const window = planWindow(workflow, input);
  if (window === undefined || "code" in window) return window ?? input;
  if (window.settings.type === "debounce") return input;
  const { maxBytes } = window.settings;
  if (utf8ToBytes(input).length > maxBytes)
    return { code: "TOO_LARGE", message: `The input is larger than a batch may be: ${maxBytes} bytes.` };
  try {
    return listOf(input);
  } catch (error) {
    if (error instanceof HoldfastError) return { code: "INVALID_ARGUMENT", message: error.message };
    throw error;
  }
}

type Refused = PlanRefusal | { readonly code: "TOO_LARGE" | "INVALID_ARGUMENT"; readonly message: string };

/** Ends a run whose input is wrong. A deployment or a declaration that is wrong can be corrected: the run is retried then. */
function refuse(draft: Draft, { code, message }: Refused): void {
  if (code !== "limits_not_configured") {
    const error = errorValue(code === "limit_key_invalid" ? "LIMIT_KEY_INVALID" : code, message);
    return end(draft, "failed", { error: { ...error, category: "USER_ERROR" } });
  }
  draft.change({ undescribed: { ...draft.header.undescribed, askAt: undefined } });
  pause(draft, { ...errorValue("LIMITS_NOT_CONFIGURED", message), category: "RUNTIME_ERROR" });
}
