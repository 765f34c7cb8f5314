/**
 * Sends the request of a form with the client, and says what became of it.
 *
 * Owns: which method of the client sends which action, and what a refusal means for a request that was sent before and whose
 * answer was lost.
 */
import { ApiError, type Client, type Delivery, type RunActionName } from "@holdfast/workflows/client";
import { issuesOf } from "../failure.tsx";
import type { FieldName, Fields, Prepared } from "./forms.ts";

export type Sent =
  | { readonly kind: "delivered"; readonly delivery: Delivery }
  | { readonly kind: "started"; readonly runId: string }
  | { readonly kind: "deleted" }
  | { readonly kind: "done" };

/** @throws ApiError, ConnectionError */
export async function send(
  client: Client,
  runId: string,
  action: RunActionName,
  { reason, name, tokenId }: Fields,
  { request: { body = {} } }: Prepared,
): Promise<Sent> {
  const run = client.run(runId);
  const { payload } = body;
  const deliveryId = typeof body["deliveryId"] === "string" ? body["deliveryId"] : undefined;
  switch (action) {
    case "deliverSignal":
      return { kind: "delivered", delivery: await run.signal(name, payload, { deliveryId }) };
    case "deliverEvent":
      return { kind: "delivered", delivery: await run.event(name, payload, { deliveryId }) };
    case "resolveToken":
      return { kind: "delivered", delivery: await run.resolveToken(tokenId, payload) };
    case "resumeRun":
      return { kind: "started", runId: (await run.resume(body)).id };
    case "deleteRun":
      await run.delete();
      return { kind: "deleted" };
    case "pauseRun":
      await run.pause({ reason: reason === "" ? undefined : reason });
      return { kind: "done" };
    case "unpauseRun":
      await run.unpause();
      return { kind: "done" };
    case "retryRun":
      await run.retry();
      return { kind: "done" };
    case "cancelRun":
      await run.cancel(reason === "" ? undefined : reason);
      return { kind: "done" };
    case "terminateRun":
      await run.terminate(reason);
      return { kind: "done" };
  }
}

/** What the reader should know before a request without an answer is sent again. */
export function afterLostAnswer(action: RunActionName): string {
  if (action === "deliverSignal" || action === "deliverEvent")
    return "Send it again: it has the same id, so the run takes it once.";
  if (action === "resumeRun") return "Send it again: it has the same id of the new run, so only one run is started.";
  return "Send it again: what is done already is refused, and nothing is done twice.";
}

/** The codes with which the API refuses what an earlier request has done. */
const DONE_BEFORE: Readonly<Partial<Record<RunActionName, readonly string[]>>> = {
  resolveToken: ["already_resolved"],
  pauseRun: ["not_applicable"],
  unpauseRun: ["not_applicable"],
  retryRun: ["not_applicable"],
  cancelRun: ["run_terminal"],
  terminateRun: ["run_terminal"],
  deleteRun: ["not_found"],
};

/** Whether a refusal may mean that the request without an answer was accepted. */
export function mayBeDone(action: RunActionName, error: unknown): boolean {
  return error instanceof ApiError && DONE_BEFORE[action]?.includes(error.code) === true;
}

/** The fields of a form by the fields of a body. */
const FIELDS: Readonly<Record<string, FieldName>> = {
  name: "name",
  eventType: "name",
  payload: "json",
  input: "json",
  reason: "reason",
  runId: "id",
  deliveryId: "id",
  resumeFromStep: "step",
  seedResults: "results",
};

/** The problems that the API names, by the field of the form. */
export function fieldProblems(error: unknown): Readonly<Partial<Record<FieldName, string>>> {
  if (!(error instanceof ApiError)) return {};
  if (error.code === "unknown_step") return { step: plainMessage(error) };
  if (error.code === "idempotency_conflict") return { id: plainMessage(error) };
  // The paths of an answer are JSON Pointers into the payload.
  if (error.code === "invalid_answer")
    return {
      json: issuesOf(error)
        .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
        .join("; "),
    };
  return problemsByField(error, FIELDS);
}

/** The problems that the API names by the paths of the body. `fields`: those of the form by those of the body. */
export function problemsByField<Name extends string>(
  error: ApiError,
  fields: Readonly<Record<string, Name>>,
): Readonly<Partial<Record<Name, string>>> {
  const problems: Partial<Record<Name, string>> = {};
  for (const { path, message } of issuesOf(error)) {
    const field = fields[path.split(".")[0] ?? ""];
    if (field !== undefined) problems[field] = path.includes(".") ? `${path}: ${message}` : message;
  }
  return problems;
}

/** The message without the words about the request, which the form shows. */
export function plainMessage({ message, status, code }: ApiError): string {
  const start = ` answered ${status} ${code}: `;
  const at = message.indexOf(start);
  return at < 0 ? message : message.slice(at + start.length);
}
