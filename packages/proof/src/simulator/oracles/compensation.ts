/**
 * Oracle on the compensations of a run (COMP1, COMP3).
 */
import { type JournalEntry, isTerminal, parseOperationId } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

/** Steps are compensated in reverse order of completion, and the header lists every step that remains (COMP1, COMP3). */
export function checkCompensation({ host: { journal, header } }: ObservedRun): string[] {
  if (header.error?.code === "TERMINATED") return checkUndone(journal, header.undone ?? []);
  const turn = journal.findIndex((entry) => entry.type === "run.unwinding");
  if (turn < 0 || !isTerminal(header.status)) return [];
  const before = new Set(journal.slice(0, turn).filter(isCompensationEnd).map(nameOf));
  const expected = journal
    .filter((entry) => entry.type === "step.completed" && entry.compensable === true && !before.has(nameOf(entry)))
    .map(nameOf)
    .toReversed();
  const found = journal.slice(turn).filter(isCompensationEnd).map(nameOf);
  const failed = journal.filter((entry) => isCompensationEnd(entry) && entry.type === "step.failed").length;
  const problems: string[] = [];
  const left = header.uncompensated?.length ?? 0;
  // A second cancel ends a run whose code does not fit its journal: the header then lists all steps that remain.
  const abandoned = left === expected.length - found.length + failed && left > failed;
  if (!abandoned && (found.length !== expected.length || !isInOrder(found, expected)))
    problems.push(`compensated ${found.join()} instead of ${expected.join()}`);
  if (!abandoned && left !== failed) problems.push(`lists ${left} of ${failed} failed compensations`);
  return problems;
}

/** A terminated run lists every completed step whose compensation has not succeeded (CAN8). */
function checkUndone(journal: readonly JournalEntry[], undone: readonly string[]): string[] {
  const succeeded = new Set(
    journal.filter((entry) => isCompensationEnd(entry) && entry.type === "step.completed").map(nameOf),
  );
  const expected = journal
    .filter((entry) => entry.type === "step.completed" && entry.compensable === true && !succeeded.has(nameOf(entry)))
    .map(({ op }) => op);
  const same = expected.toSorted().join() === undone.toSorted().join();
  return same ? [] : [`lists ${undone.join()} as not undone instead of ${expected.join()}`];
}

function nameOf({ op }: JournalEntry): string {
  return op.slice(op.indexOf("/"));
}

function isCompensationEnd({ op, type }: JournalEntry): boolean {
  return parseOperationId(op).kind === "compensation" && /completed|failed/.test(type);
}

/** Compensations that a group had started before the run began to unwind come first; the rest follows in order. */
function isInOrder(found: readonly string[], expected: readonly string[]): boolean {
  if (found.length === 0) return true;
  return found.some((_, started) => {
    const first = new Set(found.slice(0, started));
    const rest = expected.filter((one) => !first.has(one));
    return found.slice(started).join() === rest.join();
  });
}
