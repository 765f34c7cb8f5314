/**
 * The handlers of the object of a coordinator: requests and alarms.
 *
 * Owns: the rule that no handler throws.
 */
import { ApiRefusal } from "../refusal.ts";
import type { CoordinatorRequest } from "../run-object/messenger.ts";
import type { CoordinatorObject } from "./coordinator-object.ts";
import type { CoordinatorObjectDeps } from "./deps.ts";

/** Delay of the next alarm after a failed one, ms. */
const ALARM_RETRY_MS = 5_000;

/** Returns the object, and creates it at the first call. */
type Open = () => CoordinatorObject;

export async function serveCoordinatorRequest(open: Open, request: Request): Promise<Response> {
  try {
    return await open().handle((await request.json()) as CoordinatorRequest);
  } catch (error) {
    if (error instanceof ApiRefusal) return error.toResponse();
    console.error("holdfast: a request to a coordinator failed", error);
    const message =
      "The object of a limit, schedule or event failed. Try again. If it fails each time, the log of the Worker says why.";
    return new ApiRefusal("internal_error", message).toResponse();
  }
}

/** Never throws: the platform drops an alarm after six failed retries (DUR5). */
export async function serveCoordinatorAlarm(
  open: Open,
  { storage, clock = Date.now }: Pick<CoordinatorObjectDeps, "storage" | "clock">,
): Promise<void> {
  try {
    await open().alarm();
  } catch (error) {
    console.error("holdfast: an alarm of a coordinator failed and is set again", error);
    await storage.setAlarm(clock() + ALARM_RETRY_MS);
  }
}
