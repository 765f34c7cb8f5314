/**
 * The events of a run's object: requests, alarms, and messages on its sockets.
 *
 * Owns: that none of them throws. The class of the composition root holds its `RunObject`; the exported functions, for a
 * class of one's own, find it by the storage: state in memory belongs to the instance, not to a request.
 */
import { ApiRefusal } from "../refusal.ts";
import type { DurableObjectStorageLike, HibernatingSocketLike } from "../platform-types.ts";
import type { RunCommand } from "./commands.ts";
import type { RunObjectDeps } from "./deps.ts";
import { RunObject } from "./run-object.ts";

/** How soon the object is woken again when an alarm failed. */
const ALARM_RETRY_MS = 5_000;

/** Makes the object when it is first needed. What it throws is answered as any other failure. */
type Open = () => RunObject;

const objects = new WeakMap<DurableObjectStorageLike, RunObject>();

/** The one object for this storage. The deps of the first event hold for all of them. */
function openerOf(deps: RunObjectDeps): Open {
  return () => {
    const object = objects.get(deps.storage) ?? new RunObject(deps);
    objects.set(deps.storage, object);
    return object;
  };
}

/** Handles what the Worker asks of a run. Never throws. */
export function handleDurableObjectRequest(request: Request, deps: RunObjectDeps): Promise<Response> {
  return serveRequest(openerOf(deps), request);
}

/** Handles what a socket that follows the run says. Never throws. */
export function handleDurableObjectWebSocketMessage(socket: HibernatingSocketLike, deps: RunObjectDeps): Promise<void> {
  return serveSocketMessage(openerOf(deps), socket);
}

/** Handles the object's alarm. Never throws: the platform gives up an alarm that failed six times (DUR5). */
export function handleDurableObjectAlarm(deps: RunObjectDeps): Promise<void> {
  return serveAlarm(openerOf(deps), deps);
}

export async function serveRequest(open: Open, request: Request): Promise<Response> {
  try {
    const object = open();
    if (request.headers.get("Upgrade") === "websocket") {
      const { searchParams } = new URL(request.url);
      return object.openSocket(searchParams.get("cursor") ?? undefined, searchParams.get("from") === "now");
    }
    return await object.handle((await request.json()) as RunCommand);
  } catch (error) {
    if (error instanceof ApiRefusal) return error.toResponse();
    console.error("holdfast: a request to a run failed", error);
    return new ApiRefusal(
      "internal_error",
      "The run's object failed. Nothing that was acknowledged is lost; try again.",
    ).toResponse();
  }
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
