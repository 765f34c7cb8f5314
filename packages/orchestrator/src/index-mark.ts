/**
 * Telling the index of runs, where there is one.
 *
 * Owns: when a run owes the index a row, and what is in it. Only the newest state counts, so what is owed is a mark in
 * the header and no message: however often it is sent, and however late it arrives, the version tells which is newer.
 *
 * Invariants
 * - I1 A change of status owes a row, in the same commit; the mark goes when the index has acknowledged that version.
 * - I2 A run that goes on for a moment and waits again owes nothing: the index says that it waits already.
 */
import { type RunStatus, isTerminal } from "@holdfast/protocol";
import type { Draft } from "./draft.ts";
import type { Input, Reply } from "./inputs.ts";
import type { RunHeader } from "./run-header.ts";
import type { RunIdentity } from "./run-identity.ts";

/** What the index knows of a run. */
export interface IndexRow extends ListedIdentity {
  readonly version: number;
  readonly status: RunStatus;
  readonly parentRunId?: string | undefined;
  readonly resumedFrom?: string | undefined;
  readonly error?: { readonly code?: string | undefined; readonly message: string } | undefined;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly updatedAt: number;
}

type ListedIdentity = Pick<
  RunIdentity,
  "id" | "tenantId" | "workflowId" | "workflowVersion" | "tags" | "environment" | "triggeredBy"
>;

/** How long an answer of the index is waited for before the row is sent again. It doubles. */
const RESEND_MS_MIN = 5_000;
const RESEND_MS_MAX = 300_000;

/** A run that goes on is told of only when it has been going on for so long (I2). */
const RUNNING_AFTER_MS = 1_000;

/** Errors in the index are for reading in a list. */
const MESSAGE_CHARS = 200;

/** The header with what it owes after this change, and whether that is sent at once. */
export function oweIndex(before: RunHeader | undefined, header: RunHeader, now: number): [RunHeader, boolean] {
  if (before?.status === header.status && header.index !== undefined) return [header, false];
  const { version = 0, acked } = header.index ?? {};
  if (acked === header.status) return [{ ...header, index: { version: version + 1, acked } }, false];
  const later = header.status === "running" && before !== undefined;
  const owed = { since: now, failures: 0, retryAt: now + (later ? RUNNING_AFTER_MS : RESEND_MS_MIN) };
  // What is under way may arrive yet: what the index has is no longer known.
  return [{ ...header, index: { version: version + 1, ...(later ? { acked } : {}), owed } }, !later];
}

/** Sends again what the index has not acknowledged in its time. Where there is no index any more, nothing is owed. */
export function settleIndex(draft: Draft): void {
  const { index } = draft.header;
  if (index?.owed === undefined || index.owed.retryAt > draft.now) return;
  if (draft.indexes) owe(draft, index.version, index.owed.since, index.owed.failures + 1);
  else draft.change({ index: { version: index.version } });
}

/** What the index answered, if it did. */
export function indexed(draft: Draft, input: Input & { type: "indexed" }): Reply {
  const { index, status } = draft.header;
  if (index?.owed === undefined || index.version !== input.version || !input.stored) return { type: "done" };
  // A run that executes will have other news soon: that saves a write, and costs a repetition at most.
  if (status === "running" && draft.now - index.owed.since < RESEND_MS_MIN) return { type: "done" };
  draft.change({ index: { version: index.version, acked: status } });
  return { type: "done" };
}

/** The index was lost, or is new: the run tells it again. */
export function reindex(draft: Draft): Reply {
  if (draft.indexes) owe(draft, (draft.header.index?.version ?? 0) + 1, draft.now, 0);
  return { type: "done" };
}

function owe(draft: Draft, version: number, since: number, failures: number): void {
  const pause = Math.min(RESEND_MS_MIN * 2 ** Math.min(failures, 10), RESEND_MS_MAX);
  draft.change({ index: { version, owed: { since, failures, retryAt: draft.now + pause } } });
  draft.tellIndex();
}

/** Of a header that owes it. */
export function indexRow(header: RunHeader): IndexRow {
  const { error, index } = header;
  return {
    id: header.id,
    tenantId: header.tenantId,
    version: (index as NonNullable<typeof index>).version,
    workflowId: header.workflowId,
    workflowVersion: header.workflowVersion,
    status: header.status,
    tags: header.tags,
    environment: header.environment,
    triggeredBy: header.triggeredBy,
    parentRunId: header.parent?.runId,
    resumedFrom: header.resumedFrom?.runId,
    error: error && { code: error.code, message: error.message.slice(0, MESSAGE_CHARS) },
    createdAt: header.createdAt,
    startedAt: header.startedAt,
    endedAt: header.endedAt,
    updatedAt: header.updatedAt,
  };
}

/** When an ended run is deleted: not before it has told everybody what it owes them. */
export function expiryOf(header: RunHeader): number | undefined {
  const { status, expiresAt, outbox, index } = header;
  return isTerminal(status) && outbox.count === 0 && index?.owed === undefined ? expiresAt : undefined;
}
