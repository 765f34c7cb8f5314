/**
 * The refusal of a trigger whose workflow is not served.
 *
 * Owns: the list of the served workflows in its message.
 */
import type { StepDispatcher, WorkflowDescription } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";

/** The maximum number of workflows in the message of a refusal. */
const LISTED_MAX = 50;

/** Returns a refusal that lists the served workflows after `message`. */
export async function notServed(dispatcher: StepDispatcher, message: string): Promise<ApiRefusal> {
  const names = (await dispatcher.workflows()).slice(0, LISTED_MAX).map(nameOf).join(", ");
  return new ApiRefusal("workflow_not_found", `${message} It serves: ${names || "none"}.`);
}

function nameOf({ id, version }: WorkflowDescription): string {
  return JSON.stringify(id) + (version === undefined ? "" : ` (version ${version})`);
}
