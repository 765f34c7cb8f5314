/**
 * The objects outside a run's object that it calls: other runs and coordinators (CHILD4), and the index of runs (IDX1).
 *
 * Owns: the requests that the host's callbacks send. A host without a callback knows that the deployment lacks the binding.
 */
import type { RunHostOptions } from "@holdfast/orchestrator";
import type { DurableObjectNamespaceLike } from "../platform-types.ts";
import { callObject } from "./call-object.ts";
import type { RunCommand } from "./commands.ts";
import type { RunObjectDeps } from "./deps.ts";
import { messengerOf } from "./messenger.ts";

/** Returns the host's callbacks. `tenantId` returns the tenant of this run: messages never leave the tenant. */
export function neighboursOf(
  { runIndex, runDO, coordinatorDO, rev }: RunObjectDeps,
  tenantId: () => string | undefined,
): Pick<RunHostOptions, "updateIndex" | "send" | "gates" | "rev"> {
  return {
    updateIndex:
      runIndex &&
      ((row, done) => {
        runIndex.upsert(row).then(
          () => done(true),
          () => done(false),
        );
      }),
    send: runDO && messengerOf({ runDO, coordinatorDO }, tenantId),
    gates: runDO !== undefined && coordinatorDO !== undefined,
    rev,
  };
}

/**
 * Releases the key of a run that is deleted.
 * @throws Error if the object does not confirm it.
 */
export async function releaseKey(runDO: DurableObjectNamespaceLike, name: string, runId: string): Promise<void> {
  const answer = await ask(runDO, name, { ask: "releaseKey", runId });
  if (!answer.ok) throw new Error(`the object of the run's idempotency key answered ${answer.status}`);
}

/**
 * Reserves the key of a run that comes from a back-up. If another run has the key, it keeps it.
 * @throws Error if the object does not confirm it.
 */
export async function reserveKey(runDO: DurableObjectNamespaceLike, name: string, runId: string): Promise<void> {
  const answer = await ask(runDO, name, { ask: "reserveKey", runId });
  if (!answer.ok) throw new Error(`the object of the run's idempotency key answered ${answer.status}`);
}

function ask(runDO: DurableObjectNamespaceLike, name: string, command: RunCommand): Promise<Response> {
  return callObject(runDO, runDO.idFromName(name), command);
}
