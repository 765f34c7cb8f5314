/**
 * What a row is called, on the screen and by a screen reader.
 *
 * Owns: the words for the kinds of operations and for their states. A name is text of a user: it stays as it is.
 */
import type { Row } from "./rows.ts";
import { formatDuration } from "./times.ts";

const KINDS: Readonly<Record<string, string>> = {
  step: "Step",
  sleep: "Sleep",
  event: "Event",
  signal: "Signal",
  token: "Token",
  run: "Child run",
  compensation: "Compensation of",
  unwind: "Unwinding",
  metadata: "Metadata",
  stream: "Stream",
};

/** The short word in the row: what the name does not say. */
const SHORT: Readonly<Record<string, string>> = {
  event: "event",
  signal: "signal",
  run: "child",
  compensation: "undo",
  metadata: "set",
  stream: "stream",
};

export function kindOf({ operation }: Row): string {
  return KINDS[operation.kind] ?? operation.kind;
}

/** Returns the text of the name column: a prefix that says the kind, and the name. */
export function nameOf(row: Row): { readonly prefix: string; readonly name: string } {
  const { kind, name, occurrence } = row.operation;
  const suffix = occurrence === 0 ? "" : ` #${occurrence + 1}`;
  if (kind === "unwind") return { prefix: "", name: "unwinding" };
  if (kind === "sleep") return { prefix: "", name: `sleep${suffix}` };
  if (kind === "token") return { prefix: "", name: `token${suffix}` };
  return { prefix: SHORT[kind] ?? "", name: `${name}${suffix}` };
}

/** Returns the accessible name: `Step charge: failed, 3 attempts`. */
export function describeRow(row: Row): string {
  const { kind, name, occurrence } = row.operation;
  const what = kind === "unwind" || kind === "sleep" || kind === "token" ? kindOf(row) : `${kindOf(row)} ${name}`;
  const use = occurrence === 0 ? "" : ` #${occurrence + 1}`;
  const attempts = row.attempts > 1 ? `, ${row.attempts} attempts` : "";
  return `${what}${use}: ${row.state}${attempts}`;
}

/** The interval of a row. An open one ends `now`. */
export function extentOf({ spans, from }: Row, now: number): { readonly from: number; readonly to: number } {
  return { from, to: spans.reduce((last, span) => Math.max(last, span.to ?? Math.max(now, span.from)), from) };
}

/** Returns how long a row took, or nothing for a moment. */
export function durationOf(row: Row, now: number): string {
  const { from, to } = extentOf(row, now);
  return row.spans.every(({ kind }) => kind === "instant") ? "" : formatDuration(to - from);
}

/** Describes the time between two rows: from the end of the earlier one to the start of the later one. */
export function describeDifference(a: Row, b: Row, now: number): string {
  const [first, second] = a.from <= b.from ? [a, b] : [b, a];
  const between = second.from - extentOf(first, now).to;
  const starts = formatDuration(second.from - first.from);
  const gap = between >= 0 ? `${formatDuration(between)} after its end` : `${formatDuration(-between)} before its end`;
  return `${nameOf(second).name} starts ${starts} after ${nameOf(first).name}, ${gap}`;
}
