/**
 * The refusal of a trigger whose workflow is not served.
 *
 * Owns: the list of the served workflows in its message.
 */
import type { StepDispatcher, WorkflowDescription } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";
import type { CallersView } from "./commands.ts";

/** The maximum number of workflows in the message of a refusal. */
const LISTED_MAX = 50;

/** Returns a refusal. For callers who may list the workflows, its message names them. */
export async function notServed(
  dispatcher: StepDispatcher,
  message: string,
  { workflows }: Pick<CallersView, "workflows">,
): Promise<ApiRefusal> {
  if (!workflows) return new ApiRefusal("workflow_not_found", message);
  const names = (await dispatcher.workflows()).slice(0, LISTED_MAX).map(nameOf).join(", ");
  return new ApiRefusal("workflow_not_found", `${message} It serves: ${names || "none"}.`);
}

function nameOf({ id, version }: WorkflowDescription): string {
  return JSON.stringify(id) + (version === undefined ? "" : ` (version ${version})`);
}
