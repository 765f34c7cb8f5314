/**
 * The relatives of a run: its ancestors, its children, and the runs that were resumed from it or of which it was.
 *
 * Owns: how they are read: ancestors one after the other up to a bound, children by pages of the index when the reader opens
 * a run. Without an index the children are those that the journal names.
 */
import {
  ApiError,
  type JournalEntry,
  type ListedRun,
  type RunOverview,
  type RunStatus,
} from "@holdfast/workflows/client";
import { api } from "../session.ts";

/** A run of the tree, as far as it is known. */
export interface Relative {
  readonly id: string;
  readonly workflowId?: string | undefined;
  readonly status?: RunStatus | undefined;
  readonly createdAt?: number | undefined;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
}

export interface ChildPage {
  readonly children: readonly Relative[];
  readonly nextCursor: string | null;
}

/** Levels above and below the run. */
export const LEVELS_MAX = 8;
/** The children that one request reads. */
export const CHILDREN_PAGE = 50;

export function relativeOf({
  id,
  workflowId,
  status,
  createdAt,
  startedAt,
  endedAt,
}: ListedRun | RunOverview): Relative {
  return { id, workflowId, status, createdAt, startedAt, endedAt };
}

/** Returns the ancestors, the nearest first. One that cannot be read is the last. */
export async function readAncestors(
  run: Pick<RunOverview, "parent">,
  read: (id: string) => Promise<RunOverview>,
): Promise<readonly Relative[]> {
  const found: Relative[] = [];
  for (let parent = run.parent; parent !== undefined && found.length < LEVELS_MAX;) {
    const { runId } = parent;
    const record = await read(runId).catch(() => undefined);
    found.push(record === undefined ? { id: runId } : relativeOf(record));
    parent = record?.parent;
  }
  return found;
}

/** Reads a page of the children, the oldest first. */
export async function readChildren(runId: string, cursor: string | undefined, signal: AbortSignal): Promise<ChildPage> {
  try {
    const place = cursor === undefined ? {} : { cursor };
    const page = await api().list({ parentRunId: runId, order: "asc", limit: CHILDREN_PAGE, ...place, signal });
    return { children: page.runs.map(relativeOf), nextCursor: page.nextCursor };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 501) throw error;
    return readJournaledChildren(runId, signal);
  }
}

async function readJournaledChildren(runId: string, signal: AbortSignal): Promise<ChildPage> {
  const entries: JournalEntry[] = [];
  for await (const entry of api().run(runId).journal({ signal }))
    if (entry.type.startsWith("child.")) entries.push(entry);
  return { children: childrenOf(entries), nextCursor: null };
}

/** Returns the children that a journal names, with the outcomes that it has. */
export function childrenOf(entries: readonly JournalEntry[]): readonly Relative[] {
  const children = new Map<string, Relative>();
  for (const { type, at, runId, outcome } of entries) {
    if (type === "child.started" && typeof runId === "string") children.set(runId, { id: runId, startedAt: at });
    const ended = outcome as { readonly runId?: unknown; readonly status?: RunStatus } | undefined;
    if (type !== "child.ended" || typeof ended?.runId !== "string") continue;
    children.set(ended.runId, { ...children.get(ended.runId), id: ended.runId, status: ended.status, endedAt: at });
  }
  return [...children.values()];
}
