/**
 * The audit: the actions of callers on a run, recorded in the commits of their effects (SEC2).
 *
 * Owns: the choice of inputs that are recorded, and their details; and which request is a repetition of a recorded one. The
 * rows are a ring buffer: the newest replaces the oldest.
 */
import { FORMAT_VERSION, defined } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { AUDIT_PREFIX, type AuditRow, auditKey, listRows } from "../state/rows.ts";
import type { RunHeader } from "../state/run-header.ts";

/**
 * Records who did what. Nothing is recorded of an input that is rejected, or that changes nothing because it was applied
 * before. `before`: the header before the input.
 */
export function audit(draft: Draft, input: Input, before: RunHeader): void {
  if (!("by" in input) || input.by === undefined || draft.header === before) return;
  const { audited = 0 } = draft.header;
  const { type: action, by, requestKey } = input;
  const row: AuditRow = {
    v: FORMAT_VERSION,
    at: draft.at,
    action,
    by,
    ...defined({ detail: detailOf(input), requestKey }),
  };
  draft.put(auditKey(audited % draft.context.limits.auditRows), row);
  draft.change({ audited: audited + 1 });
}

/** Returns the reply to a request whose key the audit has: its answer was lost, and the caller repeats it (API10). */
export function replyToRepeated({ state }: Draft, input: Input): Reply | undefined {
  if (!("requestKey" in input) || input.requestKey === undefined) return undefined;
  for (const [, { requestKey, action, by }] of listRows(state.store, AUDIT_PREFIX)) {
    if (requestKey !== input.requestKey || action !== input.type || by !== input.by) continue;
    return action === "resolveToken" ? { type: "delivered", delivery: "duplicate" } : { type: "done" };
  }
  return undefined;
}

function detailOf(input: Input): string | undefined {
  switch (input.type) {
    case "deliver":
      return `${input.kind} ${input.name}`;
    case "cancel":
    case "pause":
    case "terminate":
      return input.reason;
    case "noteResumed":
      return input.runId;
    default:
      return undefined;
  }
}
