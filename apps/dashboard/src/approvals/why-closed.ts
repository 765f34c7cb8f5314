/**
 * Why an ask is not open any longer, in one line.
 *
 * Owns: the words. The list knows no more than that an ask has left it; the run and its journal say the rest.
 */
import { ApiError, type JournalEntry, isTerminal } from "@holdfast/workflows/client";
import { serverNow } from "../clock.ts";
import { api } from "../session.ts";
import { statusText } from "../ui/status.tsx";
import type { OpenAsk } from "./approval.ts";

export const EXPIRED = "Nobody answered before the deadline.";
const ANSWERED = "Somebody else answered.";
/** Entries that are searched for the end of a wait, from the newest. */
const ENTRIES = 200;

/** Returns why a refusal means that the ask is closed; `undefined` if it may still be open. */
export function closedText({ code, details, message }: ApiError): string | undefined {
  const { by } = (details ?? {}) as { readonly by?: unknown };
  if (code === "already_resolved" && typeof by === "string" && by !== "") return `${by} answered first.`;
  if (code === "already_resolved") return /timed out/.test(message) ? EXPIRED : ANSWERED;
  if (code === "run_terminal") return "The run has ended.";
  if (code === "run_unwinding") return "The run is being cancelled.";
  if (code === "token_not_found" || code === "not_found") return "The run does not ask this any longer.";
  return undefined;
}

/** Returns why an ask left the list; `undefined` if it is still open, or nobody knows: a list shows some asks of a run. */
export async function whyGone({ runId, op, until }: OpenAsk, signal: AbortSignal): Promise<string | undefined> {
  if (until !== undefined && until <= serverNow()) return EXPIRED;
  try {
    const run = api().run(runId);
    const { status, pendingWaitpoints } = await run.get({ view: "summary", signal });
    if (pendingWaitpoints.some(({ id }) => id === op)) return undefined;
    const outcome = await outcomeOf(run.journal({ order: "desc", signal }), op);
    if (outcome !== undefined) return outcome;
    return isTerminal(status) ? `The run is ${statusText(status)}.` : "The run does not ask this any longer.";
  } catch (error) {
    return error instanceof ApiError ? closedText(error) : undefined;
  }
}

async function outcomeOf(entries: AsyncIterable<JournalEntry>, op: string): Promise<string | undefined> {
  let read = 0;
  for await (const entry of entries) {
    if (++read > ENTRIES) return undefined;
    if (operationText(entry) !== op) continue;
    if (entry.type === "wait.timed_out") return EXPIRED;
    if (entry.type !== "wait.resolved") continue;
    const { answeredBy } = entry as { readonly answeredBy?: unknown };
    return typeof answeredBy === "string" ? `${answeredBy} answered.` : ANSWERED;
  }
  return undefined;
}

function operationText({ operation: { kind, occurrence, name } }: JournalEntry): string {
  return `${kind}/${occurrence}/${name}`;
}
