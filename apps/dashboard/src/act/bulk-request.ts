/**
 * The requests and the command of an action on many runs, to show and to copy.
 */
import { type BulkAction, BULK_MAX } from "./bulk.ts";
import { command, newFields, option, prepare, withoutAbsent } from "./forms.ts";
import type { ApiRequest } from "./request.ts";
import type { Command } from "./shell.ts";

/** More ids than these are lines of stdin. */
const ARGUMENTS_MAX = 20;

const VERBS: Readonly<Record<BulkAction, string>> = {
  cancelRun: "cancel",
  retryRun: "retry",
  pauseRun: "pause",
  unpauseRun: "unpause",
  terminateRun: "terminate",
  deleteRun: "delete",
};

/** The first request. The others differ in their runs. */
export function firstRequest(action: BulkAction, ids: readonly string[], reason: string, origin: string): ApiRequest {
  if (action !== "cancelRun" && action !== "retryRun")
    return prepare(action, ids[0] ?? "", newFields({ reason }), origin).request;
  const body = { action: VERBS[action], reason: reason === "" ? undefined : reason, ids: ids.slice(0, BULK_MAX) };
  return { verb: "POST", path: "/api/runs/bulk", body: withoutAbsent(body) };
}

export function requestCount(action: BulkAction, count: number): number {
  return action === "cancelRun" || action === "retryRun" ? Math.ceil(count / BULK_MAX) : count;
}

/** A command for all. An id `-` would stand for stdin. */
export function bulkCommand(
  action: BulkAction,
  ids: readonly string[],
  reason: string,
  origin: string,
): Command | undefined {
  const verb = [VERBS[action], ...option("--reason", reason === "" ? undefined : reason)];
  if (ids.includes("-")) return undefined;
  if (ids.length <= ARGUMENTS_MAX) return command(origin, verb, ids);
  const reading = command(origin, verb, ["x"]);
  return reading && { args: [...reading.args.slice(0, -1), "-"], stdin: ids.join("\n") };
}
