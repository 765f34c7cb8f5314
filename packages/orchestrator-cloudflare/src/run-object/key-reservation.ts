/**
 * The row that maps an idempotency key to a run, in the storage of the object that the key names (RUN2).
 *
 * Owns: reading and writing the row. The orchestrator's `key-reservation.ts` decides.
 */
import {
  RESERVED_KEY,
  type ReservedRow,
  type RunMessage,
  type SendResult,
  isReleased,
  refuseByKey,
  reserveKey,
  reservedProblem,
} from "@holdfast/orchestrator";
import type { SyncKvStorageLike } from "../platform-types.ts";
import { ApiRefusal } from "../refusal.ts";
import type { CommandOf, KeyHolder, KeyReserved } from "./commands.ts";

export class KeyReservation {
  readonly #kv: SyncKvStorageLike;

  constructor(kv: SyncKvStorageLike) {
    this.#kv = kv;
  }

  /**
   * Returns the run of a trigger by key, if the key belongs to a run in another object.
   * @throws ApiRefusal `idempotency_conflict` for a trigger whose run id is the id of this reserved object.
   */
  holderFor({ byKey }: Pick<CommandOf<"trigger">, "byKey">): KeyHolder | undefined {
    const row = this.#row();
    const problem = reservedProblem(row);
    if (row === undefined || problem === undefined) return undefined;
    if (byKey) return { keyStandsFor: row.runId };
    throw new ApiRefusal("idempotency_conflict", problem);
  }

  /** Returns the refusal of a child's start by this key, if the key belongs to a run in another object. */
  refusalOf(message: RunMessage): SendResult | undefined {
    return message.type === "trigger" ? refuseByKey(this.#row()) : undefined;
  }

  /** Reserves the key for the first run that is requested with it. `runHere`: the id of this object's run, if it has one. */
  reserve(runId: string, runHere: string | undefined): KeyReserved {
    const { put, ...decided } = reserveKey(this.#row(), { runId, runHere });
    if (put !== undefined) this.#kv.put(RESERVED_KEY, put);
    return { ...decided, fresh: put !== undefined };
  }

  /**
   * Releases the key after the trigger of the run was rejected, or before the run is deleted. Returns whether the object is
   * now empty: it has no run if it had the row.
   */
  release(runId: string): boolean {
    if (!isReleased(this.#row(), runId)) return false;
    this.#kv.delete(RESERVED_KEY);
    return true;
  }

  #row(): ReservedRow | undefined {
    return this.#kv.get(RESERVED_KEY) as ReservedRow | undefined;
  }
}
