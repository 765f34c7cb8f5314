/**
 * The mapping of an idempotency key to a run, in the object that the key names (RUN2).
 *
 * Owns: the row of this mapping. A run whose trigger names no id has an id derived from its key, so it is stored in this
 * object and needs no row. A run with another id is stored elsewhere, and the row contains its id. An object has a run or
 * a row, never both.
 */
import type { RunMessage, SendResult } from "@holdfast/orchestrator";
import { FORMAT_VERSION, errorValue } from "@holdfast/protocol";
import type { SyncKvStorageLike } from "../platform-types.ts";
import { ApiRefusal } from "../refusal.ts";
import type { CommandOf, KeyHolder, KeyReserved } from "./commands.ts";

const ROW_KEY = "reserved";

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
    const holder = this.#holder();
    if (holder === undefined) return undefined;
    if (byKey) return { keyStandsFor: holder };
    throw new ApiRefusal(
      "idempotency_conflict",
      `This id is reserved by an idempotency key of the run ${JSON.stringify(holder)}. Choose another id.`,
    );
  }

  /** Returns the refusal of a child's start by this key, if the key belongs to a run in another object. */
  refusalOf({ type }: RunMessage): SendResult | undefined {
    const holder = type === "trigger" ? this.#holder() : undefined;
    if (holder === undefined) return undefined;
    const message = `The idempotency key belongs to the run ${JSON.stringify(holder)}, which a caller triggered under an id of its own. ctx.invoke joins only a run that was triggered by the key alone. Nothing was changed.`;
    return { type: "refused", error: errorValue("IDEMPOTENCY_CONFLICT", message) };
  }

  /** Reserves the key for the first run that is requested with it. `runHere`: the id of this object's run, if it has one. */
  reserve(runId: string, runHere: string | undefined): KeyReserved {
    const taken = runHere ?? this.#holder();
    if (taken === undefined) this.#kv.put(ROW_KEY, { v: FORMAT_VERSION, runId });
    return { runId: taken ?? runId, fresh: taken === undefined };
  }

  /** Releases the key after the trigger of the run was rejected. */
  release(runId: string): void {
    if (this.#holder() === runId) this.#kv.delete(ROW_KEY);
  }

  #holder(): string | undefined {
    return (this.#kv.get(ROW_KEY) as { readonly runId: string } | undefined)?.runId;
  }
}
