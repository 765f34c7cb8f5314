/**
 * The object that an idempotency key names: which run does the key stand for (RUN2)?
 *
 * Owns: the row of that. A run without an id of its own has the id that its key makes, so it lives in this object; a run with
 * an id of its own lives elsewhere, and the row names it. An object has one of the two, never both.
 */
import { FORMAT_VERSION } from "@holdfast/protocol";
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
   * Where a trigger that came here belongs, if the key stands for a run elsewhere.
   * @throws ApiRefusal `idempotency_conflict` for a trigger that names this object by its run's id: the id is taken.
   */
  holderFor({ byKey }: Pick<CommandOf<"trigger">, "byKey">): KeyHolder | undefined {
    const holder = this.#holder();
    if (holder === undefined) return undefined;
    if (byKey) return { keyStandsFor: holder };
    throw new ApiRefusal(
      "idempotency_conflict",
      `This id belongs to an idempotency key, which stands for the run ${JSON.stringify(holder)}. Choose another id.`,
    );
  }

  /** The key stands for the first run that was requested with it. `runHere`: the run of this object, if there is one. */
  reserve(runId: string, runHere: string | undefined): KeyReserved {
    const taken = runHere ?? this.#holder();
    if (taken === undefined) this.#kv.put(ROW_KEY, { v: FORMAT_VERSION, runId });
    return { runId: taken ?? runId, fresh: taken === undefined };
  }

  /** The run was refused: the key stands for nothing again. */
  release(runId: string): void {
    if (this.#holder() === runId) this.#kv.delete(ROW_KEY);
  }

  #holder(): string | undefined {
    return (this.#kv.get(ROW_KEY) as { readonly runId: string } | undefined)?.runId;
  }
}
