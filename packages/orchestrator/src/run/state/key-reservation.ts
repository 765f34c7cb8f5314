/**
 * The mapping of an idempotency key to a run, in the object that the key names (RUN2).
 *
 * Owns: the decisions about this mapping. A run whose trigger names no id has an id derived from its key, so it is stored in
 * this object and needs no row. A run with another id is stored elsewhere, and the row contains its id.
 *
 * Invariants
 * - KR1 An object has a run or a row, never both.
 * - KR2 A key belongs to one run until the run's trigger is rejected or the run is deleted.
 */
import { FORMAT_VERSION, errorValue } from "@holdfast/protocol";
import type { SendResult } from "../../host/outbox-sender.ts";
import { KEY_ID_PREFIX, idFromKey } from "./key-id.ts";
import type { RunHeader } from "./run-header.ts";

/** The row of the mapping. */
export const RESERVED_KEY = "reserved";

export interface ReservedRow {
  readonly v: number;
  readonly runId: string;
}

/** The run to which the key belongs, and the row to write if this request reserved it. */
export interface KeyDecision {
  readonly runId: string;
  readonly put?: ReservedRow;
}

/** Reserves the key for the first run that is requested with it. `runHere`: the id of this object's run, if it has one. */
export function reserveKey(
  row: ReservedRow | undefined,
  { runId, runHere }: { readonly runId: string; readonly runHere: string | undefined },
): KeyDecision {
  const taken = runHere ?? row?.runId;
  return taken === undefined ? { runId, put: { v: FORMAT_VERSION, runId } } : { runId: taken };
}

/** Describes why a run cannot have a key that belongs to another run. */
export function takenKeyProblem({ runId }: Pick<KeyDecision, "runId">): string {
  return `The idempotency key already belongs to the run ${JSON.stringify(runId)}. Nothing was changed.`;
}

/** Whether the release of the key by this run deletes the row. */
export function isReleased(row: ReservedRow | undefined, runId: string): boolean {
  return row?.runId === runId;
}

/** Describes why this object cannot have a run under its own id; `undefined` if it can. */
export function reservedProblem(row: ReservedRow | undefined): string | undefined {
  return row === undefined
    ? undefined
    : `This id is reserved by an idempotency key of the run ${JSON.stringify(row.runId)}. Choose another id.`;
}

/** Returns the refusal of a child's start by this key, if the key belongs to a run in another object. */
export function refuseByKey(row: ReservedRow | undefined): SendResult | undefined {
  if (row === undefined) return undefined;
  const message = `The idempotency key belongs to the run ${JSON.stringify(row.runId)}, which a caller triggered under an id of its own. ctx.invoke joins only a run that was triggered by the key alone. Nothing was changed.`;
  return { type: "refused", error: errorValue("IDEMPOTENCY_CONFLICT", message) };
}

/** Describes why a caller cannot choose this id; `undefined` if the caller can. `keyId`: the id that its key names. */
export function chosenIdProblem(runId: string, keyId: string | undefined): string | undefined {
  if (!runId.startsWith(KEY_ID_PREFIX) || runId === keyId) return undefined;
  return `must not begin with ${JSON.stringify(KEY_ID_PREFIX)}: such ids belong to idempotency keys. Choose another id, or send the key alone.`;
}

/** Returns the id of the object that has the row of this run's key; `undefined` if there is none. */
export function keyObjectOf({ id, idempotencyKey }: Pick<RunHeader, "id" | "idempotencyKey">): string | undefined {
  if (idempotencyKey === undefined) return undefined;
  const keyId = idFromKey(idempotencyKey);
  return keyId === id ? undefined : keyId;
}
