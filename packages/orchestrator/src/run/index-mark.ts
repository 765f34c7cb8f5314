/**
 * The mark in the header that an update of the index of runs is pending, in deployments with an index.
 *
 * Owns: the times at which the index gets a row, and the content of the row. Only the newest state matters, so a pending
 * update is a mark and not a message. The version of a row orders repeated and late rows.
 *
 * Invariants
 * - I1 A change of status sets the mark in the same commit. The mark is removed when the index has acknowledged that
 *   version.
 * - I2 A run that is running for under 1 s and waits again needs no update: the index already shows that it waits.
 * - I3 A change of the open asks sets the mark in the same commit, and the row is sent at once (ASK5). A run without asks
 *   writes no more than without I3.
 */
import {
  type Approval,
  HOST_LIMITS,
  type ListedWhy,
  type RunStatus,
  assert,
  defined,
  isTerminal,
  shownMessage,
} from "@holdfast/protocol";
import { resendDelayMs } from "../host/outbox.ts";
import { type OpenAsk, openAsks } from "./asks.ts";
import type { Draft } from "./draft/draft.ts";
import type { Input, Reply } from "./draft/inputs.ts";
import { type RunHeader, nextAlarm } from "./state/run-header.ts";
import type { RunIdentity } from "./state/run-identity.ts";
import { NO_PARTS } from "./state/view.ts";
import { factsOfHeader } from "./why/facts.ts";
import { whyOf } from "./why/why.ts";

/** The row of a run in the index. */
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
  /** Since when this update is pending. The index measures its lag with it, and does not store it (OBS3). */
  readonly pendingSince?: number | undefined;
  /** Why the run was in its state at `updatedAt` (WHY5). Absent in rows of earlier code. */
  readonly why?: Omit<ListedWhy, "asOf"> | undefined;
  /** The names of the limits that the run holds or wants. Absent: a row of earlier code. */
  readonly limits?: readonly string[] | undefined;
  /** The open asks with the earliest deadlines, at most `listedAsks` (ASK5). Absent: none, or a row of earlier code. */
  readonly asks?: readonly IndexedAsk[] | undefined;
}

/** An open ask in the index. */
export type IndexedAsk = Omit<Approval, "runId" | "workflowId">;

type ListedIdentity = Pick<
  RunIdentity,
  "id" | "tenantId" | "workflowId" | "workflowVersion" | "tags" | "environment" | "triggeredBy"
>;

/** Index `running` only after the run has run for this long (I2). */
const RUNNING_AFTER_MS = 1_000;

/** The index answers sooner, unless it is lost. */
const RETRY_MS_MIN = 500;

/** The length of error messages in the index. Lists show them, so the beginning suffices. */
const MESSAGE_CHARS = 200;

/** Sets the mark if this transition changed the status, and sends the row at once unless I2 delays it (I1). */
export function markIndex(draft: Draft): void {
  const before = draft.state.header;
  const header = draft.headerIfAny;
  if (draft.context.indexes !== true || header === undefined || header === before) return;
  // The row names the limits of the run, so that a rebuild finds it (L5).
  const isDescribed = before?.undescribed !== undefined && header.undescribed === undefined;
  const isOther = isDescribed || asksChanged(before, header);
  if (before?.status === header.status && header.index !== undefined && !isOther) return;
  const { version = 0, acked } = header.index ?? {};
  // The row that the index has acknowledged, or that is in flight, may have other asks or limits.
  if (acked === header.status && !isOther) return draft.change({ index: { version: version + 1, acked } });
  const later = header.status === "running" && before !== undefined && !isOther;
  const retryAt = later ? draft.now + RUNNING_AFTER_MS : firstRetryAt(draft.now, before);
  const owed = { since: draft.now, failures: 0, retryAt };
  // A row in flight may still arrive, so the state of the index is unknown.
  draft.change({ index: { version: version + 1, ...(later ? { acked } : {}), owed } });
  if (!later) draft.updateIndex();
}

/**
 * When a row that is sent now is sent again. An alarm that is set already serves if it is near enough: to move it costs a
 * write of its own.
 */
function firstRetryAt(now: number, before: RunHeader | undefined): number {
  const latest = now + resendDelayMs(0);
  const set = before === undefined ? null : nextAlarm(before);
  return set !== null && set >= now + RETRY_MS_MIN && set < latest ? set : latest;
}

/** Whether an ask has opened or closed, or has another deadline (ASK5). */
function asksChanged(before: RunHeader | undefined, header: RunHeader): boolean {
  if (before?.waits === header.waits && before.unwinding === header.unwinding) return false;
  const known = before === undefined ? [] : openAsks(before);
  const open = openAsks(header);
  return (
    known.length !== open.length ||
    open.some(({ op, wakeAt }, at) => known[at]?.op !== op || known[at].wakeAt !== wakeAt)
  );
}

/** Sends a row again that the index has not acknowledged in time. Removes the mark if there is no longer an index. */
export function settleIndex(draft: Draft): void {
  const { index } = draft.header;
  if (index?.owed === undefined || index.owed.retryAt > draft.now) return;
  if (draft.context.indexes === true) resend(draft, index.version, index.owed.since, index.owed.failures + 1);
  else draft.change({ index: { version: index.version } });
}

/** Removes the mark if the index has stored the row of the current version. */
export function indexed(draft: Draft, input: Input & { type: "indexed" }): Reply {
  const { index, status } = draft.header;
  if (index?.owed === undefined || index.version !== input.version || !input.stored) return { type: "done" };
  // A running run soon changes again, so a write for the acknowledgement is saved. It costs at most one repetition.
  if (status === "running" && draft.now - index.owed.since < resendDelayMs(0)) return { type: "done" };
  draft.change({ index: { version: index.version, acked: status } });
  return { type: "done" };
}

/** Sends the row again, because the index was lost or is new. */
export function reindex(draft: Draft): Reply {
  if (draft.context.indexes === true) resend(draft, (draft.header.index?.version ?? 0) + 1, draft.now, 0);
  return { type: "done" };
}

function resend(draft: Draft, version: number, since: number, failures: number): void {
  const retryAt = draft.now + resendDelayMs(failures, HOST_LIMITS.indexResendMsMax);
  draft.change({ index: { version, owed: { since, failures, retryAt } } });
  draft.updateIndex();
}

/** The row of a header whose update is pending. */
export function indexRow(header: RunHeader): IndexRow {
  const { error, index } = header;
  assert(index !== undefined, "only a header with a mark has a row");
  return {
    id: header.id,
    tenantId: header.tenantId,
    version: index.version,
    workflowId: header.workflowId,
    workflowVersion: header.workflowVersion,
    status: header.status,
    tags: header.tags,
    environment: header.environment,
    triggeredBy: header.triggeredBy,
    parentRunId: header.parent?.runId,
    resumedFrom: header.resumedFrom?.runId,
    error: error && { code: error.code, message: shownMessage(error).slice(0, MESSAGE_CHARS) },
    createdAt: header.createdAt,
    startedAt: header.startedAt,
    endedAt: header.endedAt,
    updatedAt: header.updatedAt,
    pendingSince: index.owed?.since,
    why: whyInIndex(header),
    limits: limitsInIndex(header),
    asks: asksInIndex(header),
  };
}

function limitsInIndex({ holds = [], stepHolds = [] }: RunHeader): readonly string[] {
  return [...new Set([...holds, ...stepHolds].map(({ limit }) => limit))];
}

/** The first reason, from the header alone: the row is written with a change of status, and for nothing else. */
function whyInIndex(header: RunHeader): IndexRow["why"] {
  const [first] = whyOf(factsOfHeader(header), NO_PARTS, 1);
  return first && defined({ code: first.code, since: first.since, until: first.until });
}

function asksInIndex(header: RunHeader): IndexRow["asks"] {
  const open = openAsks(header);
  if (open.length === 0) return undefined;
  return open
    .toSorted((a, b) => (a.wakeAt ?? Number.MAX_VALUE) - (b.wakeAt ?? Number.MAX_VALUE))
    .slice(0, HOST_LIMITS.listedAsks)
    .map(indexedAsk);
}

/** An ask as the index has it: what is too large for a list is left out. */
function indexedAsk({ op, tokenId, openedAt, wakeAt, ask }: OpenAsk): IndexedAsk {
  const { title, risk, assignees = [], ...parts } = ask;
  const isLarge = JSON.stringify(parts).length > HOST_LIMITS.listedAskChars;
  const shown = isLarge ? { truncated: true as const } : parts;
  return defined({ op, tokenId, title, ...shown, assignees, risk, openedAt, until: wakeAt });
}

/** When a terminal run is deleted; undefined while its outbox or its index update is pending. */
export function expiryOf(header: RunHeader): number | undefined {
  const { status, expiresAt, outbox, index } = header;
  return isTerminal(status) && outbox.count === 0 && index?.owed === undefined ? expiresAt : undefined;
}
