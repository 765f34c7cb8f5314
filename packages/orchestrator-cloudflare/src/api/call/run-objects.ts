/**
 * Requests of the Worker to the objects of runs.
 *
 * Owns: the rule that a caller reaches only the objects of its own tenant (SEC2), and that an object knows what the caller
 * may see (SEC7). The Worker passes on the object's answer.
 */
import type { FollowRequest } from "../../feed/stream-readers.ts";
import { callObject } from "../../run-object/call-object.ts";
import type { RunCommand, RunRequest } from "../../run-object/commands.ts";
import { Misconfigured, reportMisconfigured } from "../../options.ts";
import { runObjectName } from "../../run-object/names.ts";
import { countAbsent } from "./absent-runs.ts";
import { viewOf } from "../answers/shown-fields.ts";
import type { Call } from "./route.ts";
import type { WorkerDeps } from "./worker-deps.ts";

/** Sends a command to the object of a run of the caller's tenant. */
export function askRun(call: Call, runId: string, command: RunCommand): Promise<Response> {
  const { deps, principal } = call;
  const name = runObjectName(principal.tenantId, runId);
  const request = { ...command, view: viewOf(principal) };
  return countAbsent(call, command.ask, () => askObject(deps, deps.runDO.idFromName(name), request));
}

/** Sends a command to an object. Without a view its answer shows nothing of a run but its id and status. */
export async function askObject({ runDO }: WorkerDeps, id: unknown, command: RunRequest): Promise<Response> {
  try {
    return await callObject(runDO, id, command);
  } catch (error) {
    // A class of the deployer's own may make its dependencies for each request.
    throw isInvalidArgument(error) ? reportMisconfigured(new Misconfigured(error.message)) : error;
  }
}

/** The platform keeps the name and the message of an error of an object. */
function isInvalidArgument(error: unknown): error is Error {
  if (!(error instanceof Error) || error.name !== "HoldfastError") return false;
  return !("code" in error) || error.code === "INVALID_ARGUMENT";
}

/** Opens a socket to a run of the caller's tenant. */
export async function openSocket(call: Call, runId: string, { cursor, fromNow }: FollowRequest): Promise<Response> {
  const { deps, principal, ticket } = call;
  const url = new URL(`https://run.internal/?from=${fromNow ? "now" : "start"}`);
  url.searchParams.set("view", JSON.stringify(viewOf(principal)));
  if (cursor !== undefined) url.searchParams.set("cursor", cursor);
  if (ticket !== undefined) url.searchParams.set("ticket", JSON.stringify(ticket));
  const stub = deps.runDO.get(deps.runDO.idFromName(runObjectName(principal.tenantId, runId)));
  return countAbsent(call, "socket", () => stub.fetch(new Request(url, { headers: { Upgrade: "websocket" } })));
}
