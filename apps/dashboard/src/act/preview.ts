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
  const undone = undoneSteps(entries);
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
  const undone = undoneSteps(entries);
  const unwound = entries.find(({ type }) => type === "run.unwinding")?.seq ?? Infinity;
  const forward = entries.filter(({ seq }) => seq < unwound);
  const isFrom = (operation: Operation): boolean => from !== undefined && isStep(operation, from);
  const isGiven = ({ kind, name, occurrence }: Operation): boolean =>
    kind === "step" && occurrence === 0 && results.has(name);
  const isDropped = (operation: Operation): boolean =>
    isFrom(operation) || operation.kind === "stream" || (operation.kind === "step" && undone.has(keyOf(operation)));
  const outcomes = forward.filter(isOutcome);
  const changed = outcomes.find(({ operation }) => isDropped(operation) || isGiven(operation))?.seq ?? Infinity;
  // What was let go because of an outcome that changes now is requested again.
  const ended = new Set(outcomes.filter((one) => !(isRelease(one) && one.seq > changed)).map(idOf));
  const cut = Math.min(...outcomes.filter(({ operation }) => isFrom(operation)).map(({ asked }) => numberOf(asked)));
  const fateOf = (entry: JournalEntry): Fate => {
    if (isGiven(entry.operation)) return "given";
    return isDropped(entry.operation) || !ended.has(idOf(entry)) || numberOf(entry.nth) > cut ? "again" : "kept";
  };
  const planned = new Map<string, PlannedOperation>();
  for (const entry of forward) {
    const { operation } = entry;
    if (operation.kind === "compensation" || planned.has(idOf(entry))) continue;
    planned.set(idOf(entry), { ...operation, fate: fateOf(entry) });
  }
  return [...planned.values()];
}

type Operation = JournalEntry["operation"];

function isStep({ kind, name, occurrence }: Operation, step: Step): boolean {
  return kind === "step" && name === step.name && occurrence === step.occurrence;
}

function isOutcome({ type, detached }: JournalEntry): boolean {
  return OUTCOMES.has(type) || (type === "child.started" && detached === true);
}

function isRelease({ type, error }: JournalEntry): boolean {
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  return type === "wait.released" || (type === "step.failed" && code === "RELEASED");
}

/** How many operations were requested. An older server does not say it. */
function numberOf(value: unknown): number {
  return typeof value === "number" ? value : Infinity;
}

/** The steps whose compensation has succeeded. */
function undoneSteps(entries: readonly JournalEntry[]): ReadonlySet<string> {
  return new Set(
    entries.flatMap(({ type, operation }) =>
      type === "step.completed" && operation.kind === "compensation" ? [keyOf(operation)] : [],
    ),
  );
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

function idOf({ operation: { kind, name, occurrence } }: JournalEntry): string {
  return `${kind}/${occurrence}/${name}`;
}
