/**
 * What an action would do to a run, from its journal.
 *
 * Owns: the reading of entries for it. The page computes this before the request is sent; the server decides, by the same
 * rules and with the whole journal.
 */
import type { JournalEntry } from "@holdfast/workflows/client";
import type { Step } from "./forms.ts";

/** Types of entries after which an operation is over. */
const OUTCOMES: ReadonlySet<string> = new Set([
  "step.completed",
  "step.failed",
  "wait.resolved",
  "wait.timed_out",
  "wait.released",
  "child.ended",
  "metadata.changed",
]);

/** The completed steps with a compensation that has not succeeded: the last completed first, as a cancel undoes them (COMP1). */
export function undoneBy(entries: readonly JournalEntry[]): readonly Step[] {
  const undone = new Set(
    entries.flatMap(({ type, operation }) =>
      type === "step.completed" && operation.kind === "compensation" ? [keyOf(operation)] : [],
    ),
  );
  return entries
    .filter(({ compensable, operation: { kind } }) => compensable === true && kind === "step")
    .map(({ operation: { name, occurrence } }) => ({ name, occurrence }))
    .filter((step) => !undone.has(keyOf(step)))
    .toReversed();
}

export interface StepOfRun extends Step {
  /** How it ended; `undefined`: it has not. */
  readonly outcome: "completed" | "failed" | undefined;
  readonly value: unknown;
}

/** The steps of a run in the order of their first entries. */
export function stepsOf(entries: readonly JournalEntry[]): readonly StepOfRun[] {
  const steps = new Map<string, StepOfRun>();
  for (const { type, operation, value } of entries) {
    const { kind, name, occurrence } = operation;
    if (kind !== "step") continue;
    const outcome = type === "step.completed" ? "completed" : type === "step.failed" ? "failed" : undefined;
    steps.set(keyOf(operation), { name, occurrence, outcome, value });
  }
  return [...steps.values()];
}

export type Fate = "kept" | "again" | "given";

export interface PlannedOperation {
  readonly kind: string;
  readonly name: string;
  readonly occurrence: number;
  readonly fate: Fate;
}

/**
 * What a new run does with each operation of this one (RES1 to RES3): what was requested before the step ended is kept; what
 * was requested after it, was undone, or has no outcome executes again. `results`: the names of steps whose results are given.
 */
export function planOf(
  entries: readonly JournalEntry[],
  from: Step | undefined,
  results: ReadonlySet<string>,
): readonly PlannedOperation[] {
  const unwound = entries.find(({ type }) => type === "run.unwinding")?.seq ?? Infinity;
  const forward = entries.filter(({ seq }) => seq < unwound);
  const undone = new Set(
    entries.flatMap(({ type, operation }) =>
      type === "step.completed" && operation.kind === "compensation" ? [keyOf(operation)] : [],
    ),
  );
  const ends = new Map<string, number>();
  for (const { type, operation, seq, detached } of forward)
    if (OUTCOMES.has(type) || (type === "child.started" && detached === true)) ends.set(idOf(operation), seq);
  const isGiven = ({ kind, name, occurrence }: JournalEntry["operation"]): boolean =>
    kind === "step" && occurrence === 0 && results.has(name);
  const isFrom = ({ kind, name, occurrence }: JournalEntry["operation"]): boolean =>
    kind === "step" && name === from?.name && occurrence === from.occurrence;
  const cut = cutOf(forward, ends, isFrom);
  const shown = new Map<string, PlannedOperation>();
  for (const entry of forward) {
    const { operation } = entry;
    const id = idOf(operation);
    if (shown.has(id) || operation.kind === "compensation" || operation.kind === "unwind") continue;
    const isAgain =
      isFrom(operation) ||
      !ends.has(id) ||
      operation.kind === "stream" ||
      (operation.kind === "step" && undone.has(keyOf(operation))) ||
      requestedAfter(entry) >= cut;
    shown.set(id, { ...operation, fate: isGiven(operation) ? "given" : isAgain ? "again" : "kept" });
  }
  return [...shown.values()];
}

/** The number of the outcome after which everything is requested again; `Infinity`: nothing is. */
function cutOf(
  entries: readonly JournalEntry[],
  ends: ReadonlyMap<string, number>,
  isFrom: (operation: JournalEntry["operation"]) => boolean,
): number {
  const found = entries.find(({ operation }) => isFrom(operation));
  return found === undefined ? Infinity : (ends.get(idOf(found.operation)) ?? Infinity);
}

/** The number of the outcome that the function had received last when it requested the operation. */
function requestedAfter({ after }: JournalEntry): number {
  return typeof after === "number" ? after : 0;
}

/** Names for a delivery: of open waits first, then of those that this run had. */
export function namesFor(
  kind: "signal" | "event",
  entries: readonly JournalEntry[],
  open: readonly string[],
): readonly string[] {
  const had = entries.flatMap(({ operation }) => (operation.kind === kind ? [operation.name] : []));
  return [...new Set([...open, ...had])];
}

function keyOf({ name, occurrence }: Step): string {
  return `${occurrence}/${name}`;
}

function idOf({ kind, name, occurrence }: JournalEntry["operation"]): string {
  return `${kind}/${occurrence}/${name}`;
}
