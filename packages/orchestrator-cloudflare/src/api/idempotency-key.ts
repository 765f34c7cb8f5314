/**
 * Idempotency keys: which run a key stands for (RUN2).
 *
 * Owns: reading the key of a request, and the id of a run that has none of its own. The object that this id names keeps
 * what the key stands for.
 */
import { idProblem, toHex } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";
import type { KeyReserved } from "../run-object/commands.ts";
import type { Call } from "./route.ts";
import { askRun } from "./run-objects.ts";

/**
 * The key of the header or the body.
 * @throws ApiRefusal `invalid_id`, or `invalid_body` if both are given and differ.
 */
export function readIdempotencyKey(request: Request, inBody: string | undefined): string | undefined {
  const inHeader = request.headers.get("Idempotency-Key");
  if (inHeader === null) return inBody;
  const problem = idProblem(inHeader);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The Idempotency-Key ${problem}.`);
  if (inBody !== undefined && inBody !== inHeader) {
    throw new ApiRefusal(
      "invalid_body",
      "The header Idempotency-Key and the field idempotencyKey differ. Give one of them.",
    );
  }
  return inHeader;
}

/** The id of a run without an id of its own: the same key gives the same id. */
export async function idFromKey(key: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
  return `key-${toHex(digest.slice(0, 20))}`;
}

/**
 * Lets a key stand for a run that has an id of its own. `true`: it stands for the run since this request.
 * @throws ApiRefusal `idempotency_conflict` if it stands for another run.
 */
export async function reserveKey(call: Call, keyId: string, runId: string): Promise<boolean> {
  const answer = await askRun(call, keyId, { ask: "reserveKey", runId });
  const reserved = (await answer.json()) as KeyReserved;
  if (reserved.runId === runId) return reserved.fresh;
  throw new ApiRefusal(
    "idempotency_conflict",
    `The idempotency key stands for the run ${JSON.stringify(reserved.runId)} already. Nothing was changed.`,
  );
}
