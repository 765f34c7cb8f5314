/**
 * Idempotency keys: the mapping of a key to a run (RUN2).
 *
 * Owns: the key of a request, and its reservation. The object whose id is derived from the key stores the mapping, and is
 * the run itself unless the request names a run id.
 */
import { type RequestKey, takenKeyProblem } from "@holdfast/orchestrator";
import { idProblem } from "@holdfast/protocol";
import { ApiRefusal } from "../../refusal.ts";
import type { KeyReserved } from "../../run-object/commands.ts";
import type { Call } from "./route.ts";
import { askRun } from "./run-objects.ts";

/** Describes the header to readers, for requests that act (API10). */
export const ACT_HEADERS = { "Idempotency-Key": "The same key again has no effect again, and is answered as done." };

/**
 * Returns the key of a request that acts on a limit, window, schedule or event (API10). A read has none.
 * @throws ApiRefusal `invalid_id`
 */
export function requestKeyOf({ request, principal }: Call): RequestKey | undefined {
  const key = request.method === "GET" ? undefined : readIdempotencyKey(request);
  return key === undefined ? undefined : { key, by: principal.subject };
}

/**
 * Returns the key of the header or of the body.
 * @throws ApiRefusal `invalid_id`, or `invalid_body` if both are given and differ.
 */
export function readIdempotencyKey(request: Request, inBody?: string): string | undefined {
  const inHeader = request.headers.get("Idempotency-Key");
  if (inHeader === null) return inBody;
  const problem = idProblem(inHeader);
  if (problem !== undefined) throw new ApiRefusal("invalid_id", `The Idempotency-Key ${problem}.`);
  if (inBody !== undefined && inBody !== inHeader) {
    throw new ApiRefusal(
      "invalid_body",
      "The header Idempotency-Key and the field idempotencyKey differ. Send only one of them.",
    );
  }
  return inHeader;
}

/**
 * Reserves a key for a run whose id the request names. Returns `true` if this request reserved it, and `false` if the key
 * already belonged to the run.
 * @throws ApiRefusal `idempotency_conflict` if the key belongs to another run.
 */
export async function reserveKey(call: Call, keyId: string, runId: string): Promise<boolean> {
  const answer = await askRun(call, keyId, { ask: "reserveKey", runId });
  const reserved = (await answer.json()) as KeyReserved;
  if (reserved.runId === runId) return reserved.fresh;
  throw new ApiRefusal("idempotency_conflict", takenKeyProblem(reserved));
}
