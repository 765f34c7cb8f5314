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
import { FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import type { WriteBatch } from "../host/store.ts";
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
 * @param known The open waits before the transition.
 */
export function storeWaits(
  writes: Writes,
  header: RunHeader,
  { before, known, max }: { readonly before: WaitRows; readonly known: readonly OpenWait[]; readonly max: number },
): RunHeader {
  deleteStarts(writes, known, header.waits);
  // Without rows and without a change, the header had all waits before.
  if (before.size === 0 && (known === header.waits || fitHeader(header.waits, max))) return header;
  const others = new Map(header.waits.map((wait) => [wait.op, wait]));
  const left = keepRows(writes, before, others);
  const inHeader = new Set(known.map(({ op }) => op));
  const waits =
    left === 0 ? firstOf([...others.values()], max) : [...others.values()].filter(({ op }) => inHeader.has(op));
  for (const { op } of waits) others.delete(op);
  let position = waitPosition([...before.keys()].at(-1));
  for (const wait of others.values()) {
    position += 1;
    writes.put(waitKey(position), { ...wait, v: FORMAT_VERSION } satisfies WaitRow);
  }
  const { uses = [] } = header;
  return {
    ...header,
    waits,
    waitRows: left + others.size,
    uses: uses.includes(FEATURE) ? uses : [...uses, FEATURE],
  };
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

/** Deletes the acknowledged starts of the waits that ended (WR3). */
function deleteStarts(writes: Writes, known: readonly OpenWait[], waits: readonly OpenWait[]): void {
  if (known === waits || !known.some(({ start }) => start !== undefined)) return;
  const open = new Set(waits.map(({ op }) => op));
  for (const { start, op } of known) if (start !== undefined && !open.has(op)) writes.delete(outboxKey(start));
}

/** Deletes the rows of waits that ended, and removes the others from `open`. Returns how many rows are left. */
function keepRows(writes: Writes, before: WaitRows, open: Map<string, OpenWait>): number {
  let left = 0;
  for (const [key, row] of before) {
    const wait = open.get(row.op);
    if (wait === undefined) {
      writes.delete(key);
      continue;
    }
    left += 1;
    open.delete(row.op);
    if (wait !== row) writes.put(key, { ...wait, v: FORMAT_VERSION } satisfies WaitRow);
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
