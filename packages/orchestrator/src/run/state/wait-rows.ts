/**
 * Open waits that have rows of their own.
 *
 * Owns: which open waits are in the stored header, and which have a row. The header is rewritten at each change of a wait,
 * so it has only the first `headerWaits` of them, and no large ask: what one wait costs does not grow with the others. In
 * memory the header has all of them, and no decision depends on where a wait is stored.
 *
 * Invariants
 * - WR1 The waits in the stored header, followed by the rows in the order of their keys, are in the order in which they
 *   opened (WAIT10). So a wait that opens while rows exist gets a row.
 * - WR2 Rows change only together with the header, which counts them. Older code refuses such a run (VER4).
 * - WR3 The acknowledged start of a child is deleted together with the wait that names it.
 */
import { FORMAT_VERSION, HOST_LIMITS, type OperationId } from "@holdfast/protocol";
import type { WriteBatch } from "../../host/store.ts";
import { WAIT_PREFIX, type WaitRow, isRow, outboxKey, waitKey, waitPosition } from "./rows.ts";
import type { OpenWait, RunHeader } from "./run-header.ts";

/** The feature of rows that older versions do not know (VER4). */
const FEATURE = "wait rows";

/** The open waits with rows, by key, oldest first. */
export type WaitRows = ReadonlyMap<string, WaitRow>;

/** The writes of a transition, as `Draft` has them. */
interface Writes {
  put(key: string, row: object): void;
  delete(key: string): void;
}

/**
 * Writes the rows of the waits that changed, and returns the header as it is stored.
 * @param before The stored rows.
 * @param known The open waits before the transition: those in the stored header, followed by the rows.
 */
export function storeWaits(
  writes: Writes,
  header: RunHeader,
  { before, known, max }: { readonly before: WaitRows; readonly known: readonly OpenWait[]; readonly max: number },
): RunHeader {
  const change = changeOf(known, header.waits);
  for (const { start } of change.ended) if (start !== undefined) writes.delete(outboxKey(start));
  // Without rows and without a change, the header had all waits before.
  if (before.size === 0 && (known === header.waits || fitHeader(header.waits, max))) return header;
  const inHeader = known.length - before.size;
  const left = keepRows(writes, before, change, inHeader);
  const waits = left === 0 ? firstOf(header.waits, max) : stillOpen(known.slice(0, inHeader), header.waits);
  // Without a row that is left, the others begin a new list of rows. Otherwise those that opened follow it.
  const others = left === 0 ? header.waits.slice(waits.length) : change.opened;
  let position = waitPosition([...before.keys()].at(-1));
  for (const wait of others) {
    position += 1;
    writes.put(waitKey(position), { ...wait, v: FORMAT_VERSION } satisfies WaitRow);
  }
  const { uses = [] } = header;
  return {
    ...header,
    waits,
    waitRows: left + others.length,
    uses: uses.includes(FEATURE) ? uses : [...uses, FEATURE],
  };
}

/** How a transition changes the list of open waits. Most are the same objects before and after. */
interface Change {
  /** The position of the first wait that is not the same. */
  readonly from: number;
  /** From there on, the waits of before until the first one after which all are the same. */
  readonly changed: readonly OpenWait[];
  /** The waits among them that are still open, by operation, as they are now. */
  readonly remaining: ReadonlyMap<OperationId, OpenWait>;
  readonly ended: readonly OpenWait[];
  readonly opened: readonly OpenWait[];
}

function changeOf(known: readonly OpenWait[], waits: readonly OpenWait[]): Change {
  const most = Math.min(known.length, waits.length);
  let from = 0;
  while (from < most && known[from] === waits[from]) from += 1;
  let same = 0;
  while (same < most - from && known.at(-1 - same) === waits.at(-1 - same)) same += 1;
  const changed = known.slice(from, known.length - same);
  const ops = new Set(changed.map(({ op }) => op));
  const now = new Map(waits.slice(from, waits.length - same).map((wait) => [wait.op, wait]));
  return {
    from,
    changed,
    remaining: now,
    ended: changed.filter(({ op }) => !now.has(op)),
    opened: [...now.values()].filter(({ op }) => !ops.has(op)),
  };
}

/** The waits of the stored header that are open, as they are now. They are the first ones (WR1). */
function stillOpen(stored: readonly OpenWait[], waits: readonly OpenWait[]): readonly OpenWait[] {
  const ops = new Set(stored.map(({ op }) => op));
  const end = waits.findIndex(({ op }) => !ops.has(op));
  return end === -1 ? waits : waits.slice(0, end);
}

/** The waits before the first one with a large ask, at most `max`: the others open later, so they get rows (WR1). */
function firstOf(waits: readonly OpenWait[], max: number): readonly OpenWait[] {
  const large = waits.findIndex(hasLargeAsk);
  return waits.slice(0, large === -1 ? max : Math.min(large, max));
}

function fitHeader(waits: readonly OpenWait[], max: number): boolean {
  return waits.length <= max && !waits.some(hasLargeAsk);
}

/** Whether the ask of a wait would make the header large, which is rewritten at each change of a wait. */
function hasLargeAsk({ ask }: OpenWait): boolean {
  return ask !== undefined && JSON.stringify(ask).length > HOST_LIMITS.headerAskChars;
}

/** Deletes the rows of waits that ended, and writes those of waits that changed. Returns how many rows are left. */
function keepRows(writes: Writes, before: WaitRows, { from, changed, remaining }: Change, inHeader: number): number {
  const keys = [...before.keys()];
  let left = before.size;
  for (const [nth, one] of changed.entries()) {
    const key = keys[from + nth - inHeader];
    if (key === undefined) continue;
    const wait = remaining.get(one.op);
    if (wait === one) continue;
    if (wait !== undefined) writes.put(key, { ...wait, v: FORMAT_VERSION } satisfies WaitRow);
    else {
      writes.delete(key);
      left -= 1;
    }
  }
  return left;
}

/** Applies a committed batch to the rows in memory. */
export function applyWaitRows(rows: Map<string, WaitRow>, { puts, deletes }: WriteBatch): void {
  for (const key of deletes) rows.delete(key);
  for (const [key, row] of puts) if (isRow(WAIT_PREFIX, key, row)) rows.set(key, row);
}

/** Returns the header with all open waits, from the stored header and the rows. */
export function withWaitRows(stored: RunHeader, rows: WaitRows): RunHeader {
  return rows.size === 0 ? stored : { ...stored, waits: [...stored.waits, ...rows.values()] };
}
