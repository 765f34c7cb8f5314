/**
 * The rows of one run, built from the pages of its journal and from its record (T1).
 *
 * Owns: the order of the rows, and building again only what a page changed. Pages may arrive in any order, overlap or
 * repeat.
 *
 * Invariants
 * - TL1 Each entry is counted once, whatever the pages.
 * - TL2 Rows are sorted: as the function requested the operations; those of unknown position by their first entry, last.
 * - TL3 A page builds the rows that its entries are about, and no other.
 */
import { type Entry, type OpenWork, type Operation, type Run, operationId } from "./entries.ts";
import { type Row, buildRow, endRow, isOpen } from "./rows.ts";

interface Slot {
  readonly operation: Operation;
  entries: Entry[];
  open: OpenWork | undefined;
  row: Row;
}

export class TimelineModel {
  readonly #slots = new Map<string, Slot>();
  readonly #seen = new Set<number>();
  #rows: Row[] = [];
  #endedAt: number | undefined;
  #resumedAt: number | undefined;
  #built = 0;
  #version = 0;

  /** The rows, in order. Read them again after each change: the array may be the same one. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Counts the changes. */
  get version(): number {
    return this.#version;
  }

  get entryCount(): number {
    return this.#seen.size;
  }

  /** How many rows were built so far. */
  get built(): number {
    return this.#built;
  }

  /** Adds a page of entries. Returns whether it changed a row. */
  add(entries: readonly Entry[]): boolean {
    const touched = new Map<string, Entry[]>();
    for (const entry of entries) {
      if (this.#seen.has(entry.seq)) continue;
      this.#seen.add(entry.seq);
      const id = operationId(entry.operation);
      const list = touched.get(id);
      if (list === undefined) touched.set(id, [entry]);
      else list.push(entry);
    }
    for (const [id, more] of touched) this.#addTo(id, more);
    if (touched.size > 0) this.#sort(new Set(touched.keys()));
    return touched.size > 0;
  }

  /** Takes over the record: its executing bodies, and its end. Returns whether it changed a row. */
  setRun(run: Run): boolean {
    const touched = new Set<string>();
    for (const step of run.steps ?? []) {
      this.#setOpen({ kind: "step", name: step.name, occurrence: step.occurrence }, step, touched);
      const { compensation } = step;
      if (compensation === undefined) continue;
      this.#setOpen({ kind: "compensation", name: step.name, occurrence: step.occurrence }, compensation, touched);
    }
    const resumedAt = run.resumedFrom === undefined ? undefined : run.createdAt;
    if (this.#resumedAt !== resumedAt) {
      this.#resumedAt = resumedAt;
      for (const id of this.#slots.keys()) touched.add(id);
    }
    if (this.#endedAt !== run.endedAt) {
      this.#endedAt = run.endedAt;
      for (const [id, { row }] of this.#slots) if (isOpen(row.state) || row.state === "not finished") touched.add(id);
    }
    for (const id of touched) this.#build(id);
    if (touched.size > 0) this.#sort(touched);
    return touched.size > 0;
  }

  #addTo(id: string, more: readonly Entry[]): void {
    const [first] = more;
    const slot = this.#slots.get(id);
    if (first === undefined) return;
    const entries = [...(slot?.entries ?? []), ...more];
    if (!isSorted(entries)) entries.sort((a, b) => a.seq - b.seq);
    if (slot === undefined) return this.#insert(id, first.operation, entries, undefined);
    slot.entries = entries;
    this.#build(id);
  }

  #setOpen(operation: Operation, work: OpenWork, touched: Set<string>): void {
    const id = operationId(operation);
    const slot = this.#slots.get(id);
    const open = work.status === "running" ? work : undefined;
    if (slot === undefined) {
      if (open === undefined) return;
      this.#insert(id, operation, [], open);
      touched.add(id);
      return;
    }
    if (slot.open?.startedAt === open?.startedAt && slot.open?.attempts === open?.attempts) return;
    slot.open = open;
    touched.add(id);
  }

  #insert(id: string, operation: Operation, entries: Entry[], open: OpenWork | undefined): void {
    this.#slots.set(id, { operation, entries, open, row: this.#rowOf(operation, entries, open) });
  }

  #build(id: string): void {
    const slot = this.#slots.get(id);
    if (slot !== undefined) slot.row = this.#rowOf(slot.operation, slot.entries, slot.open);
  }

  #rowOf(operation: Operation, entries: readonly Entry[], open: OpenWork | undefined): Row {
    this.#built += 1;
    const row = buildRow(operation, entries, { open, resumedAt: this.#resumedAt });
    return this.#endedAt === undefined ? row : endRow(row, this.#endedAt);
  }

  /** Merges the rows that changed into those that did not. A page of new operations is only appended. */
  #sort(touched: ReadonlySet<string>): void {
    this.#version += 1;
    const changed = [...touched].flatMap((id) => this.#slots.get(id)?.row ?? []).toSorted(compareRows);
    const [first, last] = [changed[0], this.#rows.at(-1)];
    const allNew = this.#rows.length + changed.length === this.#slots.size;
    if (allNew && first !== undefined && (last === undefined || compareRows(last, first) < 0)) {
      for (const row of changed) this.#rows.push(row);
      return;
    }
    this.#rows = mergeRows(
      this.#rows.filter(({ id }) => !touched.has(id)),
      changed,
    );
  }
}

function compareRows(a: Row, b: Row): number {
  return (a.nth ?? Infinity) - (b.nth ?? Infinity) || a.firstSeq - b.firstSeq || a.from - b.from || 0;
}

function mergeRows(a: readonly Row[], b: readonly Row[]): Row[] {
  const merged: Row[] = [];
  let at = 0;
  for (const row of b) {
    for (let next = a[at]; next !== undefined && compareRows(next, row) <= 0; next = a[at]) {
      merged.push(next);
      at += 1;
    }
    merged.push(row);
  }
  for (; at < a.length; at += 1) {
    const row = a[at];
    if (row !== undefined) merged.push(row);
  }
  return merged;
}

function isSorted(entries: readonly Entry[]): boolean {
  return entries.every(({ seq }, index) => index === 0 || (entries[index - 1]?.seq ?? 0) < seq);
}
