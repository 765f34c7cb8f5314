/**
 * Reads a turn from a request body.
 *
 * Owns: the description of an invalid turn. The sender is authenticated. The schema gives mistakes a clear message, and
 * prevents an answer that never comes (SEC10, LIM2).
 */
import type { TurnRequest } from "@holdfast/protocol";
import { describeProblem, toExecution } from "@holdfast/protocol/messages";

/** Returns the parsed request, or the reason why it is invalid. */
export function parseTurn(body: string): TurnRequest | string {
  let turn: unknown;
  try {
    turn = JSON.parse(body);
  } catch {
    return "the body is not JSON";
  }
  const problem = toExecution.turnRequest(turn, false);
  if (problem !== undefined) return describeProblem("turn", problem);
  // A cast: the schema has accepted it.
  return turn as TurnRequest;
}
