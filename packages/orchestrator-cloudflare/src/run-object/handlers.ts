/**
 * The handlers of a run's object: requests, alarms, and messages on its sockets.
 *
 * Owns: the rule that no handler throws. The class of the composition root holds its `RunObject`. The exported functions,
 * for a class written by hand, find it by the storage, because state in memory belongs to the instance, not to a request.
 */
import { type Answer, responseOf } from "../answer.ts";
import { ApiRefusal } from "../refusal.ts";
import type { DurableObjectStorageLike, HibernatingSocketLike } from "../platform-types.ts";
import { pauseIfBusy } from "../rest.ts";
import { RPC_CHARS_MAX } from "./call-object.ts";
import { NOTHING, type RunRequest } from "./commands.ts";
import { type RunObjectDeps, checkRunObjectDeps } from "./deps.ts";
import { RunObject } from "./run-object.ts";

/** Delay of the next alarm after a failed one, ms. */
const ALARM_RETRY_MS = 5_000;

/** Returns the object, and creates it at the first call. An error of the creation is answered like any other failure. */
type Open = () => RunObject;

const objects = new WeakMap<DurableObjectStorageLike, RunObject>();

/** Opens the only object of this storage. The deps of the first event are used for all events. */
function openerOf(deps: RunObjectDeps): Open {
  return () => {
    checkRunObjectDeps(deps);
    const object = objects.get(deps.storage) ?? new RunObject(deps);
    objects.set(deps.storage, object);
    return object;
  };
}

/** Handles a request of the Worker to a run. Never throws. */
export function handleDurableObjectRequest(request: Request, deps: RunObjectDeps): Promise<Response> {
  return serveRequest(openerOf(deps), request);
}

/** Handles a message of a socket that follows the run. Never throws. */
export function handleDurableObjectWebSocketMessage(socket: HibernatingSocketLike, deps: RunObjectDeps): Promise<void> {
  return serveSocketMessage(openerOf(deps), socket);
}

/** Handles the object's alarm. Never throws: the platform drops an alarm after six failed retries (DUR5). */
export function handleDurableObjectAlarm(deps: RunObjectDeps): Promise<void> {
  return serveAlarm(openerOf(deps), deps);
}

/** Answers a command of the Worker or of another object. Never throws. */
async function serveCommand(open: Open, command: RunRequest): Promise<Answer | Response> {
  // Most messages make a run execute, and their sender has few in flight (OS4). Nothing bounds how many children end at once.
  if (command.ask === "message" && command.message.type !== "childEnded") await pauseIfBusy();
  try {
    return await open().handle(command);
  } catch (error) {
    return refusalOf(error).toAnswer();
  }
}

/** Answers the same as a message by RPC, which bounds the size of what it returns. */
export async function serveRpc(open: Open, command: RunRequest): Promise<Answer | Response> {
  const answer = await serveCommand(open, command);
  const isLarge = !(answer instanceof Response) && (answer.text?.length ?? 0) > RPC_CHARS_MAX;
  return isLarge ? responseOf(answer) : answer;
}

export async function serveRequest(open: Open, request: Request): Promise<Response> {
  try {
    const object = open();
    if (request.headers.get("Upgrade") !== "websocket") {
      const answer = await serveCommand(open, (await request.json()) as RunRequest);
      return answer instanceof Response ? answer : responseOf(answer);
    }
    // The request of a socket has no body.
    const { searchParams } = new URL(request.url);
    return await object.openSocket(
      {
        ask: "follow",
        cursor: searchParams.get("cursor") ?? undefined,
        fromNow: searchParams.get("from") === "now",
        ticket: JSON.parse(searchParams.get("ticket") ?? "null") ?? undefined,
      },
      JSON.parse(searchParams.get("view") ?? "null") ?? NOTHING,
    );
  } catch (error) {
    return refusalOf(error).toResponse();
  }
}

function refusalOf(error: unknown): ApiRefusal {
  if (error instanceof ApiRefusal) return error;
  console.error("holdfast: a request to a run failed", error);
  return new ApiRefusal(
    "internal_error",
    "The run's object failed. Try again. If it fails each time, the log of the Worker says why.",
  );
}

export async function serveSocketMessage(open: Open, socket: HibernatingSocketLike): Promise<void> {
  try {
    open().acknowledged(socket);
  } catch (error) {
    console.error("holdfast: a socket could not be served", error);
    socket.close(1011, "The run's object failed. Connect again.");
  }
}

export async function serveAlarm(
  open: Open,
  { storage, clock = Date.now }: Pick<RunObjectDeps, "storage" | "clock">,
): Promise<void> {
  try {
    await open().alarm();
  } catch (error) {
    console.error("holdfast: an alarm failed and is set again", error);
    await storage.setAlarm(clock() + ALARM_RETRY_MS);
  }
}
