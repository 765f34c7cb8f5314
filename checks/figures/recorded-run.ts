/**
 * One run, executed on the in-memory host, at the six moments that docs/concepts/mental-model.md shows.
 *
 * Owns: the order of what happens to the run, and what is read of it. The workflow is the one that the page shows, so a
 * picture that is drawn from a moment shows what the engine did.
 */
import { describeOperation } from "@holdfast/protocol";
import type { Workflow } from "@holdfast/workflows";
import { MemoryHost } from "@holdfast/workflows/testing";
import { importModule, writeModules } from "../pages/modules.ts";

const PAGE = "docs/concepts/mental-model.md";

interface Row {
  readonly seq: number;
  readonly type: string;
  /** The operation, such as `step "reserve"`. */
  readonly operation: string;
}

export interface Moment {
  readonly name: MomentName;
  readonly status: string;
  /** The number of the execution; a crash is followed by a higher one. */
  readonly epoch: number;
  /** How far ahead the alarm is, ms. */
  readonly alarmMs: number | undefined;
  readonly journal: readonly Row[];
  /** How often the body of each step began. */
  readonly bodies: Readonly<Record<string, number>>;
  /** The step whose body executes. */
  readonly executing: string | undefined;
  /** Whether an execution is in memory. */
  readonly live: boolean;
}

export type MomentName = "trigger" | "step-stored" | "parked" | "delivery" | "crash" | "replay";

export interface Recording {
  readonly moments: Readonly<Record<MomentName, Moment>>;
  readonly output: unknown;
  /** The operations in the order of the program. */
  readonly operations: readonly string[];
}

type Shop = Record<string, (given: string) => Promise<string>>;

/** Called when the body of a step begins, with how often it has begun. */
type Watch = (step: string, times: number) => Promise<void> | undefined;

let recording: Promise<Recording> | undefined;

/** Executes the run, once in a process: it replaces the functions of the shop. */
export function recordRun(): Promise<Recording> {
  return (recording ??= executeRun());
}

async function executeRun(): Promise<Recording> {
  const { order, bodies, watch } = await loadOrder();
  const host = new MemoryHost({ workflows: [order] });
  const moments: Partial<Record<MomentName, Moment>> = {};
  /** How many executions had begun at the crash. */
  let lost = 0;
  const take = (name: MomentName, executing?: string): void => {
    moments[name] = { ...read(host), name, bodies: { ...bodies }, executing, live: host.starts.length > lost };
  };
  const never = new Promise<void>(() => {});
  watch((step, times) => {
    if (step === "charge") take("step-stored", step);
    if (step === "ship" && times === 2) take("replay", step);
    return step === "ship" && times === 1 ? never : undefined;
  });
  host.trigger("order", { item: "a lamp" });
  take("trigger");
  await host.settle();
  take("parked");
  host.deliver("signal", "approval", { by: "Ann" }, "delivery-1");
  take("delivery");
  await host.settle();
  lost = host.starts.length;
  host.crash();
  take("crash");
  await host.advance();
  return { moments: complete(moments), output: host.output, operations: operationsOf(host) };
}

async function loadOrder(): Promise<{ order: Workflow; bodies: Record<string, number>; watch: (by: Watch) => void }> {
  const folder = writeModules(PAGE, "recorded-run");
  const { order } = await importModule(folder, "order.ts");
  const { shop } = (await importModule(folder, "shop.ts")) as { readonly shop: Shop };
  const bodies: Record<string, number> = {};
  let watching: Watch | undefined;
  for (const [name, body] of Object.entries(shop)) {
    shop[name] = async (given) => {
      bodies[name] = (bodies[name] ?? 0) + 1;
      await watching?.(name, bodies[name]);
      return body(given);
    };
  }
  return { order: order as Workflow, bodies, watch: (by) => (watching = by) };
}

function read({ header, store, clock, journal }: MemoryHost): Omit<Moment, "name" | "bodies" | "executing" | "live"> {
  return {
    status: header.status,
    epoch: header.epoch,
    alarmMs: store.alarm === null ? undefined : store.alarm - clock.now(),
    journal: journal.map(({ seq, type, op }) => ({ seq, type, operation: describeOperation(op) })),
  };
}

function operationsOf({ journal }: MemoryHost): readonly string[] {
  return [...new Set(journal.toSorted((a, b) => a.nth - b.nth).map(({ op }) => describeOperation(op)))];
}

function complete(moments: Partial<Record<MomentName, Moment>>): Recording["moments"] {
  const { trigger, "step-stored": stepStored, parked, delivery, crash, replay } = moments;
  if (!trigger || !stepStored || !parked || !delivery || !crash || !replay)
    throw new Error(`The run of ${PAGE} did not reach every moment: ${Object.keys(moments).join(", ")}.`);
  return { trigger, "step-stored": stepStored, parked, delivery, crash, replay };
}
