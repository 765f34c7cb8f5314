/**
 * The handlers of the run's Durable Object.
 */
import { ApiRefusal } from "../refusal.ts";
import type { RunCommand } from "./commands.ts";
import type { HibernatingSocketLike } from "../platform-types.ts";
import { runObjectOf } from "./run-object.ts";
import type { RunObjectDeps } from "./deps.ts";

/** How soon the object is woken again when an alarm failed. */
const ALARM_RETRY_MS = 5_000;

/** Handles what the Worker asks of a run. Never throws. */
export async function handleDurableObjectRequest(request: Request, deps: RunObjectDeps): Promise<Response> {
  try {
    if (request.headers.get("Upgrade") === "websocket") {
      const { searchParams } = new URL(request.url);
      return runObjectOf(deps).openSocket(searchParams.get("cursor") ?? undefined, searchParams.get("from") === "now");
    }
    const command = (await request.json()) as RunCommand;
    return await runObjectOf(deps).handle(command);
  } catch (error) {
    if (error instanceof ApiRefusal) return error.toResponse();
    console.error("holdfast: a request to a run failed", error);
    return new ApiRefusal(
      "internal_error",
      "The run's object failed. Nothing that was acknowledged is lost; try again.",
    ).toResponse();
  }
}

/** Handles what a socket that follows the run says. Never throws. */
export async function handleDurableObjectWebSocketMessage(
  socket: HibernatingSocketLike,
  deps: RunObjectDeps,
): Promise<void> {
  try {
    runObjectOf(deps).acknowledged(socket);
  } catch (error) {
    console.error("holdfast: a socket could not be served", error);
    socket.close(1011, "The run's object failed. Connect again.");
  }
}

/** Handles the object's alarm. Never throws: the platform gives up an alarm that failed six times (DUR5). */
export async function handleDurableObjectAlarm(deps: RunObjectDeps): Promise<void> {
  try {
    await runObjectOf(deps).alarm();
  } catch (error) {
    console.error("holdfast: an alarm failed and is set again", error);
    await deps.storage.setAlarm((deps.clock ?? Date.now)() + ALARM_RETRY_MS);
  }
}
