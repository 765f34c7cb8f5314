/**
 * The audit: what callers did to a run, noted in the commit that does it (SEC2).
 *
 * Owns: which inputs are noted, with which detail. A ring: the newest rows take the places of the oldest.
 */
import { FORMAT_VERSION } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import { type AuditRow, auditKey } from "./rows.ts";

/** Notes who did what. Refused requests, repeated deliveries and repeated notes of a resume are not noted. */
export function audit(draft: Draft, input: Input, reply: Reply): void {
  if (!("by" in input) || input.by === undefined || reply.type === "refused") return;
  if (reply.type === "delivered" && reply.delivery === "duplicate") return;
  if (input.type === "noteResumed" && draft.state.header?.resumedBy.includes(input.runId) === true) return;
  const { audited = 0 } = draft.header;
  const detail = detailOf(input);
  const row: AuditRow = {
    v: FORMAT_VERSION,
    at: draft.now,
    action: input.type,
    by: input.by,
    ...(detail === undefined ? {} : { detail }),
  };
  draft.put(auditKey(audited % draft.context.limits.auditRows), row);
  draft.change({ audited: audited + 1 });
}

function detailOf(input: Input): string | undefined {
  switch (input.type) {
    case "deliver":
      return `${input.kind} ${input.name}`;
    case "cancel":
      return input.reason;
    case "noteResumed":
      return input.runId;
    default:
      return undefined;
  }
}
