/**
 * Checks each order of the crash test against what the engine promises.
 *
 * Owns: the promises and the tables. The counts come from the counter server, which is never killed; the completion
 * time of a step comes from the run's journal.
 */
import type { CounterServer } from "./counter-server.ts";
import { type Order, STEPS, type StepName } from "./order.ts";
import { printTable } from "@holdfast/local-runtime/terminal";
import { ensure } from "@holdfast/local-runtime/until";

/** The observations of one crash test. */
export interface CrashResults {
  readonly orders: readonly Order[];
  /** The number of kills by the progress of the newest order at the kill. */
  readonly killPoints: ReadonlyMap<string, number>;
  /** The time from each kill to the first answer of the next workerd, ms. */
  readonly downMs: readonly number[];
  readonly interruptedRequests: number;
  readonly serverErrors: number;
}

const VIOLATIONS_SHOWN_MAX = 20;

/** @throws ConditionNotMet if any promise was broken. */
export function printVerdict(results: CrashResults, counter: CounterServer): void {
  const { orders } = results;
  const violations = orders.flatMap((order) => judge(order, counter).map((what) => `${order.id}: ${what}`));
  printKillPoints(results);
  printSteps(orders, counter);
  printRuns(results, violations.length);
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN_MAX)) console.error(`    ${violation}`);
  ensure(violations.length === 0, `${violations.length} promises were broken, the first: ${violations[0]}.`);
}

function judge(order: Order, counter: CounterServer): string[] {
  const { id, approved, record, failure } = order;
  if (failure !== undefined) return [failure];
  if (!approved) return ["its approval was never acknowledged"];
  if (record?.status !== "completed") {
    const { status, invocationCount, error } = record ?? {};
    return [
      `is ${status}, not completed (${order.describeProgress()}, executed ${invocationCount} times, ${JSON.stringify(error)})`,
    ];
  }
  const expected = { orderId: id, chargeId: `charge-${id}`, parcel: `parcel-for-hold-${id}` };
  const output = JSON.stringify(record.output);
  return [
    ...(output === JSON.stringify(expected) ? [] : [`its output is ${output}`]),
    ...STEPS.flatMap((step) => judgeStep(order, step, counter)),
  ];
}

function judgeStep(order: Order, step: StepName, counter: CounterServer): string[] {
  const found: string[] = [];
  const entries = order.journal.filter((entry) => entry.type === "step.completed" && entry.operation.name === step);
  if (entries.length !== 1) found.push(`the journal has ${entries.length} completions of ${step}`);
  if (counter.count(step, "end", order.id) === 0) found.push(`the body of ${step} never completed`);
  const repeats = countRepeats(order, step, counter);
  if (repeats > 0) found.push(`the body of ${step} started ${repeats} more times after the step had completed`);
  return found;
}

/** Counts the starts of a step's body after its completion, by the time in the journal and by the count when it was read. */
function countRepeats(order: Order, step: StepName, counter: CounterServer): number {
  const starts = counter.hits(step, "start", order.id);
  const seen = order.startsAtCompletion.get(step) ?? starts.length;
  const completedAt = order.journal.find(
    (entry) => entry.type === "step.completed" && entry.operation.name === step,
  )?.at;
  const later = starts.filter((hit) => hit.at > (completedAt ?? Infinity));
  return Math.max(starts.length - seen, later.length);
}

function printKillPoints({ killPoints }: CrashResults): void {
  const rows = [...killPoints].toSorted((a, b) => b[1] - a[1]);
  printTable(["progress of the newest order at the kill", "kills"], rows);
}

function printSteps(orders: readonly Order[], counter: CounterServer): void {
  const rows = STEPS.map((step) => {
    const total = (edge: "start" | "end"): number => sum(orders.map((order) => counter.count(step, edge, order.id)));
    const started = total("start");
    const repeats = sum(orders.map((order) => countRepeats(order, step, counter)));
    return [step, started, total("end"), started - orders.length, repeats];
  });
  printTable(
    ["step", "bodies started", "bodies completed", "repeated after an interruption", "repeated after completion"],
    rows,
  );
}

function printRuns(results: CrashResults, violations: number): void {
  const { orders, downMs } = results;
  const completed = orders.filter((order) => order.record?.status === "completed").length;
  const executions = orders.map((order) => order.record?.invocationCount ?? 0);
  printTable(
    ["total", ""],
    [
      ["runs accepted", orders.length],
      ["kills", downMs.length],
      ["runs completed", completed],
      ["runs stuck or failed", orders.length - completed],
      ["promises broken", violations],
      ["most executions of one run", Math.max(0, ...executions)],
      ["interrupted requests, repeated", results.interruptedRequests],
      ["answers of 500 and above", results.serverErrors],
      ["restart, median ms", Math.round(downMs.toSorted((a, b) => a - b)[Math.floor(downMs.length / 2)] ?? 0)],
    ],
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
