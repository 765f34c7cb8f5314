/**
 * The operations of two runs of one workflow, side by side.
 *
 * Owns: which operations belong together: those with one id, else those of one kind that the function requested at the same
 * place. It finds the first outcome that differs.
 */
import { fieldOf } from "../timeline/entries.ts";
import type { Row } from "../timeline/rows.ts";
import { extentOf } from "../timeline/row-text.ts";
import { isEqual } from "./diff.ts";

export interface Pair {
  readonly key: string;
  readonly a: Row | undefined;
  readonly b: Row | undefined;
  /** The two sides have the same place, and other ids. */
  readonly isRenamed: boolean;
  readonly difference: "none" | "missing" | "outcome" | "open";
}

/** What an operation gave to the workflow. */
export interface Outcome {
  readonly isOpen: boolean;
  readonly ok: boolean;
  readonly value: unknown;
}

/** Returns the pairs in the order in which the functions requested them. */
export function alignRows(a: readonly Row[], b: readonly Row[]): readonly Pair[] {
  const byId = new Map(b.map((row) => [row.id, row]));
  const idsOfA = new Set(a.map(({ id }) => id));
  const left = new Map<string, Row>();
  for (const row of b) if (!idsOfA.has(row.id) && row.nth !== undefined) left.set(placeOf(row), row);
  const used = new Set<Row>();
  const pairs = a.map((row): Pair => {
    const same = byId.get(row.id);
    const other = same ?? (row.nth === undefined ? undefined : left.get(placeOf(row)));
    if (other !== undefined) used.add(other);
    return pairOf(row, other, same === undefined && other !== undefined);
  });
  return merge(
    pairs,
    b.filter((row) => !used.has(row)),
  );
}

/** Inserts the operations that only B has, by their places. */
function merge(pairs: readonly Pair[], onlyB: readonly Row[]): readonly Pair[] {
  const merged: Pair[] = [];
  let next = 0;
  for (const pair of pairs) {
    const place = pair.b?.nth ?? pair.a?.nth ?? Infinity;
    for (let row = onlyB[next]; row !== undefined && (row.nth ?? Infinity) < place; row = onlyB[++next])
      merged.push(pairOf(undefined, row, false));
    merged.push(pair);
  }
  for (const row of onlyB.slice(next)) merged.push(pairOf(undefined, row, false));
  return merged;
}

/** Returns the place of the first pair with another outcome; -1: none. */
export function firstDifference(pairs: readonly Pair[]): number {
  return pairs.findIndex(({ difference }) => difference === "outcome" || difference === "missing");
}

/** From A to B, ms; `undefined`: one of them is missing, or did not execute in its run. */
export function deltaOf({ a, b }: Pair, nowA: number, nowB: number): number | undefined {
  if (a === undefined || b === undefined || isTakenOver(a) || isTakenOver(b)) return undefined;
  return lengthOf(b, nowB) - lengthOf(a, nowA);
}

function isTakenOver({ state }: Row): boolean {
  return state === "taken over";
}

export function lengthOf(row: Row, now: number): number {
  const { from, to } = extentOf(row, now);
  return to - from;
}

export function outcomeOf({ entries, state }: Row): Outcome {
  const ok = state === "completed" || state === "taken over";
  const isOpen = state === "running" || state === "retrying" || state === "waiting" || state === "not finished";
  const given = entries.flatMap(({ value, outcome, error, change }) => {
    const shown = value ?? withoutIds(outcome) ?? withoutStack(error) ?? change;
    return shown === undefined ? [] : [shown];
  });
  return { isOpen, ok, value: given.at(-1) };
}

/** Runs of one workflow have other children. */
function withoutIds(outcome: unknown): unknown {
  if (typeof outcome !== "object" || outcome === null) return outcome;
  const { runId: _runId, ...others } = outcome as Readonly<Record<string, unknown>>;
  return others;
}

function withoutStack(error: unknown): unknown {
  if (typeof error !== "object" || error === null || fieldOf(error, "stack") === undefined) return error;
  const { stack: _stack, ...others } = error as Readonly<Record<string, unknown>>;
  return others;
}

function pairOf(a: Row | undefined, b: Row | undefined, isRenamed: boolean): Pair {
  const key = `${a?.id ?? ""} ${b?.id ?? ""}`;
  return { key, a, b, isRenamed, difference: differenceOf(a, b) };
}

function differenceOf(a: Row | undefined, b: Row | undefined): Pair["difference"] {
  if (a === undefined || b === undefined) return "missing";
  const [x, y] = [outcomeOf(a), outcomeOf(b)];
  if (x.isOpen && y.isOpen) return "none";
  if (x.isOpen || y.isOpen) return "open";
  const isSame = x.ok === y.ok && (x.ok || a.state === b.state) && isEqual(x.value, y.value);
  return isSame ? "none" : "outcome";
}

function placeOf({ nth, operation }: Row): string {
  return `${operation.kind} ${nth}`;
}
