/**
 * What the storm must not have done, checked order by order.
 *
 * Owns: the promises and the tables. The counts come from the counter server, which no kill touched; when a step was
 * completed comes from the run's journal.
 */
import type { CounterServer } from "./counter-server.ts";
import { type Order, STEPS, type StepName } from "./order.ts";
import { printTable } from "@holdfast/cli/terminal";
import { insist } from "@holdfast/cli/until";

/** What the storm left behind. */
export interface Toll {
  readonly orders: readonly Order[];
  /** Where the newest order was when a kill came. */
  readonly struck: ReadonlyMap<string, number>;
  /** From each kill to the answer of the next workerd. */
  readonly downMs: readonly number[];
  readonly interruptedRequests: number;
  readonly serverErrors: number;
}

const VIOLATIONS_SHOWN_MAX = 20;

/** @throws NotAsPromised if any promise was broken. */
export function printVerdict(toll: Toll, counter: CounterServer): void {
  const { orders } = toll;
  const violations = orders.flatMap((order) => judge(order, counter).map((what) => `${order.id}: ${what}`));
  printStruck(toll);
  printSteps(orders, counter);
  printRuns(toll, violations.length);
  for (const violation of violations.slice(0, VIOLATIONS_SHOWN_MAX)) console.error(`    ${violation}`);
  insist(violations.length === 0, `${violations.length} promises were broken, the first: ${violations[0]}.`);
}

function judge(order: Order, counter: CounterServer): string[] {
  const { id, approved, record, trouble } = order;
  if (trouble !== undefined) return [trouble];
  if (!approved) return ["its approval was never acknowledged"];
  if (record?.status !== "completed") {
    const { status, invocationCount, error } = record ?? {};
    return [
      `is ${status}, not completed (${order.describeProgress()}, begun ${invocationCount} times, ${JSON.stringify(error)})`,
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
  if (entries.length !== 1) found.push(`${step} was journaled as completed ${entries.length} times`);
  if (counter.count(step, "end", order.id) === 0) found.push(`the body of ${step} never completed`);
  const repeats = countRepeats(order, step, counter);
  if (repeats > 0) found.push(`${step} was completed, and its body started ${repeats} more times`);
  return found;
}

/** Executions of a step that the journal already had as completed: by the clock, and by what was counted then. */
function countRepeats(order: Order, step: StepName, counter: CounterServer): number {
  const starts = counter.hits(step, "start", order.id);
  const seen = order.startsWhenDone.get(step) ?? starts.length;
  const completedAt = order.journal.find(
    (entry) => entry.type === "step.completed" && entry.operation.name === step,
  )?.at;
  const later = starts.filter((hit) => hit.at > (completedAt ?? Infinity));
  return Math.max(starts.length - seen, later.length);
}

function printStruck({ struck }: Toll): void {
  const rows = [...struck].toSorted((a, b) => b[1] - a[1]);
  printTable(["when the kill came, the newest order was", "kills"], rows);
}

function printSteps(orders: readonly Order[], counter: CounterServer): void {
  const rows = STEPS.map((step) => {
    const total = (edge: "start" | "end"): number => sum(orders.map((order) => counter.count(step, edge, order.id)));
    const started = total("start");
    const repeats = sum(orders.map((order) => countRepeats(order, step, counter)));
    return [step, started, total("end"), started - orders.length, repeats];
  });
  printTable(
    ["step", "bodies started", "bodies completed", "run again after a cut", "run again after completion"],
    rows,
  );
}

function printRuns(toll: Toll, violations: number): void {
  const { orders, downMs } = toll;
  const completed = orders.filter((order) => order.record?.status === "completed").length;
  const begun = orders.map((order) => order.record?.invocationCount ?? 0);
  printTable(
    ["in all", ""],
    [
      ["runs accepted", orders.length],
      ["kills", downMs.length],
      ["runs completed", completed],
      ["runs stuck or failed", orders.length - completed],
      ["promises broken", violations],
      ["most often a run was begun", Math.max(0, ...begun)],
      ["requests cut off and repeated", toll.interruptedRequests],
      ["answers of 500 and above", toll.serverErrors],
      ["restart, median ms", Math.round(downMs.toSorted((a, b) => a - b)[Math.floor(downMs.length / 2)] ?? 0)],
    ],
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
