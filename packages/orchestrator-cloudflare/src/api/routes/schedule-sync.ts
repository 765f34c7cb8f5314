/**
 * The schedules that the served code declares (SCH9).
 *
 * Owns: their registration by the first request of an isolate. The list of schedules compares the time of the build, so a
 * repetition changes nothing.
 */
import type { ScheduleListCommand } from "@holdfast/orchestrator";
import { askCoordinator } from "../../run-object/messenger.ts";
import { type WorkerDeps, environmentOf } from "../call/worker-deps.ts";

/** The list of the schedules of a tenant. What the code declares belongs to no tenant. */
export const listAddress = { kind: "schedules", name: "list" } as const;

type SyncCommand = Extract<ScheduleListCommand, { readonly type: "sync" }>;

export function syncCommand(
  deps: Pick<WorkerDeps, "schedules" | "rev" | "publicUrl" | "environment" | "runDO">,
  { force, dryRun }: Pick<SyncCommand, "force" | "dryRun">,
): SyncCommand {
  const { schedules = [], rev = 0, publicUrl } = deps;
  const baseUrl = publicUrl?.replace(/\/+$/, "");
  return { type: "sync", schedules, rev, force, dryRun, environment: environmentOf(deps), baseUrl };
}

/** The declarations that are registered, or about to be. */
const registered = new WeakSet<object>();

/** Registers the schedules once for each isolate. After a failure the next request tries again. Never rejects. */
export function registerSchedules(deps: WorkerDeps): Promise<void> | undefined {
  const { schedules, coordinatorDO } = deps;
  if (schedules === undefined || coordinatorDO === undefined || registered.has(schedules)) return undefined;
  registered.add(schedules);
  return register(deps).catch((error: unknown) => {
    registered.delete(schedules);
    console.error("holdfast: the schedules of this build could not be registered; the next request tries again", error);
  });
}

async function register(deps: WorkerDeps): Promise<void> {
  const command = syncCommand(deps, { force: false, dryRun: false });
  const answer = await askCoordinator(deps.coordinatorDO, { self: listAddress, ask: "command", command });
  if (answer?.ok !== true) throw new Error(`the list of schedules answered ${answer?.status}`);
  const { changes } = (await answer.json()) as { readonly changes: readonly { id: string; change: string }[] };
  const conflicts = changes.filter(({ change }) => change === "conflict").map(({ id }) => JSON.stringify(id));
  if (conflicts.length === 0) return;
  console.warn(
    `holdfast: the API has made schedules with the ids ${conflicts.join(", ")}. The code does not change them.`,
  );
}

/** Wakes the schedules that are late (SCH11). For the cron trigger of the platform. */
export async function wakeSchedules({ coordinatorDO }: WorkerDeps): Promise<void> {
  await askCoordinator(coordinatorDO, { self: listAddress, ask: "command", command: { type: "poke" } });
}
