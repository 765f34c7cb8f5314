/**
 * The audit: the actions of callers on a run, recorded in the commits of their effects (SEC2).
 *
 * Owns: the choice of inputs that are recorded, and their details. The rows are a ring buffer: the newest replaces the
 * oldest.
 */
import { FORMAT_VERSION } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input } from "./inputs.ts";
import { type AuditRow, auditKey } from "./rows.ts";
import type { RunHeader } from "./run-header.ts";

/**
 * Records who did what. Nothing is recorded of an input that is rejected, or that changes nothing because it was applied
 * before. `before`: the header before the input.
 */
export function audit(draft: Draft, input: Input, before: RunHeader): void {
  if (!("by" in input) || input.by === undefined || draft.header === before) return;
  const { audited = 0 } = draft.header;
  const detail = detailOf(input);
  const row: AuditRow = {
    v: FORMAT_VERSION,
    at: draft.at,
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
    case "pause":
    case "terminate":
      return input.reason;
    case "noteResumed":
      return input.runId;
    default:
      return undefined;
  }
}
