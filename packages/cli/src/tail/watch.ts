/**
 * Follows all runs that match a filter.
 *
 * Owns: finding what changed. The API has no stream of all runs, so the list is read again and again: what was created
 * since, and what had not ended. Each change of a status is reported once; what changes twice between two readings is
 * reported as it is then.
 */
import type { Client, ListedRun, RunFilter } from "@holdfast/workflows/client";
import { mayReturn } from "../exit.ts";
import { pause } from "../io.ts";
import { safe } from "../output/safe-text.ts";
import type { Session } from "../session.ts";

const POLL_MS = 1_000;
/** The index may learn of a run a moment after its creation. */
const OVERLAP_MS = 10_000;
const OPEN = ["pending", "running", "waiting", "paused"] as const;
const OPEN_MAX = 1_000;

type Known = Map<string, { readonly status: string; readonly updatedAt: number }>;

/** Yields each run that starts or changes from now on. */
export async function* watchRuns(session: Session, client: Client, filter: RunFilter): AsyncGenerator<ListedRun> {
  const { io, notes } = session;
  const { status, ...base } = filter;
  const known: Known = new Map();
  const startedAt = io.now();
  for (const run of await openRuns(client, base)) remember(known, run);
  for (let outage = false; ;) {
    try {
      const since = io.now();
      for (const run of await changes(client, base, known, Math.max(startedAt, since - OVERLAP_MS)))
        if (status === undefined || run.status === status) yield run;
      outage = false;
    } catch (error) {
      if (io.signal.aborted || !mayReturn(error)) throw error;
      if (!outage) notes.say(safe`The server does not answer at the moment. Waiting for it.`);
      outage = true;
    }
    await pause(POLL_MS, io.signal);
  }
}

async function openRuns(client: Client, filter: RunFilter): Promise<readonly ListedRun[]> {
  const runs: ListedRun[] = [];
  for (const status of OPEN) {
    for await (const run of client.all({ ...filter, status, limit: 200 })) {
      if (runs.length >= OPEN_MAX) return runs;
      runs.push(run);
    }
  }
  return runs;
}

async function changes(client: Client, filter: RunFilter, known: Known, since: number): Promise<readonly ListedRun[]> {
  const found = new Map<string, ListedRun>();
  const recent = { ...filter, createdAfter: Math.max(since, filter.createdAfter ?? 0), limit: 200 };
  for await (const run of client.all(recent)) found.set(run.id, run);
  for (const run of await openRuns(client, filter)) found.set(run.id, run);
  // What was open and is in no list any longer has ended.
  const gone = [...known].filter(([id, { status }]) => isOpen(status) && !found.has(id)).map(([id]) => id);
  for (const id of gone) {
    const run = await client
      .run(id)
      .get({ view: "summary" })
      .catch((error: unknown) => {
        if ((error as { readonly code?: string }).code === "not_found") return undefined;
        throw error;
      });
    if (run === undefined) {
      known.delete(id);
      continue;
    }
    const { why: _entries, ...listed } = run;
    found.set(id, listed);
  }
  const changed = [...found.values()].filter((run) => remember(known, run));
  forget(known, found);
  return changed.toSorted((one, other) => one.updatedAt - other.updatedAt);
}

/** Returns whether the run is new or changed. */
function remember(known: Known, { id, status, updatedAt }: ListedRun): boolean {
  const before = known.get(id);
  known.set(id, { status, updatedAt });
  return before?.status !== status;
}

/** Ended runs that no list has any longer need no memory. */
function forget(known: Known, found: ReadonlyMap<string, ListedRun>): void {
  for (const [id, { status }] of known) if (!isOpen(status) && !found.has(id)) known.delete(id);
}

function isOpen(status: string): boolean {
  return OPEN.some((one) => one === status);
}
