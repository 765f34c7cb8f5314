/**
 * The lineage of the operations in a journal: who requested them (RES3).
 *
 * Owns: its computation from the recorded places of requests. The execution of a resumed run computes the same for the
 * operations of its function, and compares.
 */
import {
  type InheritedPlace,
  type JournalEntry,
  type OperationId,
  type RequestPlace,
  isOutcome,
  lineageOf,
  parseOperationId,
} from "@holdfast/protocol";

/** What an execution compares, of one operation. */
type Place = Required<Pick<InheritedPlace, "line">> & Omit<InheritedPlace, "op" | "line" | "seeded">;

export interface Lineage {
  /** Without operations whose entries have no place, and operations that were requested after their outcomes. */
  readonly places: ReadonlyMap<OperationId, Place>;
  readonly silent: readonly string[];
}

/** The first entry about an operation, with its place. */
export type Placed = JournalEntry & { readonly after: number; readonly use: number };

/** Returns the first entry about each operation whose place is known, in the order of the requests. */
export function requestsIn(journal: readonly JournalEntry[]): Placed[] {
  const first = new Map<OperationId, JournalEntry>();
  for (const entry of journal) if (!first.has(entry.op)) first.set(entry.op, entry);
  const outcomes = new Map(journal.filter(isOutcome).map((entry) => [entry.nth, entry]));
  const placed = new Map<number, Placed>();
  for (const entry of [...first.values()].toSorted((a, b) => a.nth - b.nth)) {
    const place = placeOf(entry, outcomes.get(entry.nth - 1), placed.get(entry.nth - 1));
    if (place !== undefined) placed.set(entry.nth, { ...entry, ...place });
  }
  return [...placed.values()];
}

/** Adds what an entry leaves out: see `JournalEntry.after`. `outcome`, `before`: of the operation before it. */
function placeOf(
  { nth, seq, after, use = 0 }: JournalEntry,
  outcome: JournalEntry | undefined,
  before: Placed | undefined,
): Required<RequestPlace> | undefined {
  if (after !== undefined) return { after, use };
  if (nth <= 1) return { after: 0, use };
  if (outcome !== undefined && outcome.asked < nth && outcome.seq < seq) return { after: outcome.seq, use };
  return before && { after: before.after, use };
}

/** `journal`: of a run that records places. */
export function traceLineage(journal: readonly JournalEntry[]): Lineage {
  const outcomes = journal.filter(isOutcome);
  const requests = requestsIn(journal);
  const lines = linesOf(requests, new Map(outcomes.map(({ seq, op }) => [seq, op])));
  const uses = countUses(requests);
  const continued = new Set(requests.map(({ after }) => after));
  const silent = outcomes.filter(({ seq }) => !continued.has(seq));
  const shared = new Set(requests.flatMap((entry) => (entry.use === 0 ? [] : [groupOf(entry)])));
  const silentBefore = counter(silent.map(({ seq }) => seq));
  const receivedBefore = counter(outcomes.map(({ seq }) => seq));
  const places = new Map<OperationId, Place>();
  for (const entry of requests) {
    const line = lines.get(entry.op);
    if (line === undefined) continue;
    const own = { line: line.own, after: line.after };
    // The only operation of its name is no other branch's.
    if (uses.get(nameOf(entry.op)) === 1) places.set(entry.op, { ...own, silent: 0 });
    else {
      const more = shared.has(groupOf(entry)) ? { shared: true as const } : {};
      // Outcomes that it received after the call that started the operation are not known: then it counts from the call.
      const received = receivedBefore(entry.after + 1);
      places.set(entry.op, { ...own, silent: silentBefore(entry.after), ...more, received });
    }
  }
  // Nothing has the lineage `?`: an outcome without one is never received.
  return { places, silent: silent.map(({ op }) => lines.get(op)?.own ?? "?") };
}

/** Returns a function that counts the elements of a sorted list that are lower than a number. */
function counter(sorted: readonly number[]): (limit: number) => number {
  return (limit) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] ?? limit) < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Counts the operations of each kind and name. */
export function countUses(entries: readonly JournalEntry[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const op of new Set(entries.map((entry) => entry.op))) counts.set(nameOf(op), (counts.get(nameOf(op)) ?? 0) + 1);
  return counts;
}

export function nameOf(op: OperationId): string {
  const { kind, name } = parseOperationId(op);
  return `${kind}/${name}`;
}

/** The requests of one name after one outcome. */
function groupOf({ op, after }: Placed): string {
  return `${after}/${nameOf(op)}`;
}

interface Line {
  readonly own: string;
  readonly after: string;
}

/** `requests`: in the order of the requests, so an operation follows the one after whose outcome it was requested. */
function linesOf(requests: readonly Placed[], outcomes: ReadonlyMap<number, OperationId>): Map<OperationId, Line> {
  const lines = new Map<OperationId, Line>();
  for (const { op, after: seq, use } of requests) {
    const after = seq === 0 ? "" : lines.get(outcomes.get(seq) ?? "")?.own;
    if (after !== undefined) lines.set(op, { own: lineageOf(after, op, use), after });
  }
  return lines;
}
