/**
 * A run that does not exist yet: a window of debounce or batch collects its triggers (WIN6).
 *
 * Owns: the row with the window, in the storage of the object of that run, and the refusal of requests about it. The row is
 * written before the caller gets the id of the run. It is deleted when the run starts, and when the window knows nothing of it.
 * If the start is refused for good, the row says why, and stays.
 */
import type { CoordinatorSelf, RunMessage, SendResult, WindowState } from "@holdfast/orchestrator";
import { FORMAT_VERSION } from "@holdfast/protocol";
import type { SyncKvStorageLike } from "../platform-types.ts";
import { ApiRefusal } from "../refusal.ts";
import { callObject } from "./call-object.ts";
import type { CallersView, CollectedRun } from "./commands.ts";
import type { RunObjectDeps } from "./deps.ts";
import { askCoordinator } from "./messenger.ts";
import { runObjectName } from "./names.ts";

const KEY = "collected";

interface CollectedRow extends CollectedRun {
  readonly v: number;
  /** The start was refused for good: the run never exists. `at`: ms since 1970. */
  readonly refused?: { readonly code: string; readonly message: string; readonly at: number } | undefined;
}

/** Stores where a run is collected, in its own object. `here`: the id of the run of this object. */
export async function noteCollected(
  { storage, runDO }: RunObjectDeps,
  here: string | undefined,
  collected: CollectedRun,
): Promise<void> {
  const { runId, window } = collected;
  if (runId === here || runDO === undefined) return putCollected(storage.kv, collected);
  await callObject(runDO, runDO.idFromName(runObjectName(window.tenantId, runId)), { ask: "collected", ...collected });
}

export function putCollected(kv: SyncKvStorageLike, { runId, window }: CollectedRun): void {
  kv.put(KEY, { v: FORMAT_VERSION, runId, window } satisfies CollectedRow);
}

/** Deletes the row when the window starts the run, or stores why the run never exists. */
export function startedBy(kv: SyncKvStorageLike, message: RunMessage, result: SendResult, at: number): void {
  if (message.type !== "trigger" || !message.op.startsWith("window/") || result.type === "unreachable") return;
  const row = kv.get(KEY) as CollectedRow | undefined;
  if (result.type === "acknowledged") kv.delete(KEY);
  else if (row !== undefined) {
    const { code = "INTERNAL", message: text } = result.error;
    kv.put(KEY, { ...row, refused: { code, message: text, at } } satisfies CollectedRow);
  }
}

/**
 * Executes a command. If there is no run, it may be one that starts later.
 * @throws ApiRefusal `not_started`, and the errors of the command
 */
export async function orNotStarted<T>(deps: RunObjectDeps, view: CallersView, execute: () => Promise<T>): Promise<T> {
  try {
    return await execute();
  } catch (error) {
    if (!(error instanceof ApiRefusal) || error.code !== "not_found") throw error;
    const row = deps.storage.kv.get(KEY) as CollectedRow | undefined;
    if (row === undefined) throw error;
    if (row.refused !== undefined) throw neverStarted(row.refused, view.run);
    await refuseCollected(deps, row, error, view);
    // The run may exist by now.
    return execute();
  }
}

/** @throws ApiRefusal unless the window knows nothing of the run. */
async function refuseCollected(
  { storage, coordinatorDO }: RunObjectDeps,
  { runId, window: self }: CollectedRow,
  error: ApiRefusal,
  { run }: CallersView,
): Promise<void> {
  const answer = await askCoordinator(coordinatorDO, { self, ask: "command", command: { type: "read", runId } });
  if (answer?.ok === true) throw notStarted((await answer.json()) as WindowState, self, run);
  if (answer?.status !== 404) throw error;
  storage.kv.delete(KEY);
}

function neverStarted({ code, message, at }: NonNullable<CollectedRow["refused"]>, isReader: boolean): ApiRefusal {
  const text = "The run was never started: its workflow collected its triggers, and the start was refused";
  // A caller who may not read learns nothing of the workflow (SEC7).
  if (!isReader) return new ApiRefusal("not_started", `${text}.`, { state: "refused" });
  return new ApiRefusal("not_started", `${text}: ${message}`, { state: "refused", code, message, at });
}

function notStarted({ startsAt, state, count }: WindowState, { name }: CoordinatorSelf, isReader: boolean): ApiRefusal {
  const [workflowId, key] = name.split(SEPARATOR);
  const at = new Date(startsAt).toISOString();
  return new ApiRefusal(
    "not_started",
    `The run does not exist yet: its workflow collects triggers, and starts it at ${at} unless another trigger changes that. Read it again then, or fire its window.`,
    // A caller who may not read learns nothing of the triggers (SEC7).
    isReader ? { startsAt, state, count, workflowId, key } : { startsAt },
    { "Retry-After": String(Math.max(1, Math.ceil((startsAt - Date.now()) / 1_000))) },
  );
}

/** Between the workflow and the key in the name of a window. */
const SEPARATOR = "\u0002";
