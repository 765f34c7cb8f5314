/**
 * Reading a turn from a request body.
 *
 * Owns: the shape as far as it is looked at before the execution sees it. The sender is authenticated; what is checked
 * here keeps mistakes from looking like something else (LIM2).
 */
import type { TurnRequest } from "@holdfast/protocol";

/** The request, or why it is none. */
export function parseTurn(text: string): TurnRequest | string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return "the body is not JSON";
  }
  if (!isRecord(body)) return "the body is not an object";
  const { protocol, session, turn, start, answer, updates, abort } = body;
  if (typeof protocol !== "number") return "protocol must be a number";
  if (typeof session !== "string" || !/^[\w-]{16,128}$/.test(session))
    return "session must be 16 to 128 letters, digits, - or _";
  if (!Number.isSafeInteger(turn) || (turn as number) < 1) return "turn must be a whole number from 1";
  if (start !== undefined && !isStart(start))
    return "start must have epoch, run.id, workflowId, input, seed, journal, inherited, now and clockStart";
  if (answer !== undefined && !(isRecord(answer) && typeof answer["report"] === "number" && isRecord(answer["answer"])))
    return "answer must have report and answer";
  if (
    updates !== undefined &&
    !(Array.isArray(updates) && updates.every((one) => isRecord(one) && Array.isArray(one["entries"])))
  )
    return "updates must be a list of { entries, now }";
  if (abort !== undefined && !(isRecord(abort) && typeof abort["type"] === "string")) return "abort must have a type";
  return body as unknown as TurnRequest;
}

function isStart(start: unknown): boolean {
  if (!isRecord(start)) return false;
  const { epoch, run, workflowId, input, seed, journal, inherited, now, clockStart } = start;
  const texts = [workflowId, input, seed].every((value) => typeof value === "string");
  const numbers = [epoch, now, clockStart].every((value) => typeof value === "number");
  const isRun = isRecord(run) && typeof run["id"] === "string" && Array.isArray(run["tags"]);
  return texts && numbers && isRun && Array.isArray(journal) && Array.isArray(inherited);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
