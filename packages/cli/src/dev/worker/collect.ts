/**
 * What an entry exports: workflows and their schedules, or a Worker of `holdfast()`.
 *
 * Owns: the rules by which the exports are recognised, and the message if there is nothing to serve. Pure: the code runs
 * in workerd and in tests.
 */
import type { Workflow, schedule } from "@holdfast/workflows";

/** The classes and the handler of a Worker of `holdfast()`. */
export interface Served {
  readonly worker: unknown;
  readonly WorkflowRunDO: unknown;
  readonly RunIndexDO: unknown;
  readonly CoordinatorDO: unknown;
}

export type Exported =
  | { readonly app: Served }
  | { readonly workflows: readonly Workflow[]; readonly schedules: readonly DeclaredSchedule[] };

/** What `schedule()` returns. */
export type DeclaredSchedule = ReturnType<typeof schedule>;

/** The names of the classes in the entry: those that `wrangler.jsonc` binds, or else the usual ones. */
export interface ClassNames {
  readonly run: string;
  readonly index: string;
  readonly coordinator: string;
}

/** @throws Error if the module exports neither. `name`: the entry, as the user knows it. */
export function collectExports(
  entry: Readonly<Record<string, unknown>>,
  name: string,
  classes: ClassNames = { run: "WorkflowRunDO", index: "RunIndexDO", coordinator: "CoordinatorDO" },
): Exported {
  const { default: main, [classes.run]: runClass, [classes.index]: indexClass } = entry;
  const CoordinatorDO = entry[classes.coordinator];
  if (typeof runClass === "function") {
    if (hasFetch(main))
      return { app: { worker: main, WorkflowRunDO: runClass, RunIndexDO: indexClass, CoordinatorDO } };
    throw new Error(`${name} exports ${classes.run} and no Worker. Add: export default app.worker;`);
  }
  const values = Object.values(entry);
  const app = values.find(isApp);
  if (app !== undefined) return { app };
  const all = [...new Set(values.flatMap((value: unknown): unknown[] => (Array.isArray(value) ? value : [value])))];
  const workflows = all.filter(isWorkflow);
  if (workflows.length > 0) return { workflows, schedules: schedulesIn(all, workflows, name) };
  if (hasFetch(main)) {
    throw new Error(
      `${name} exports a Worker without the class ${classes.run}. Add: export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app; with app = holdfast({ … }).`,
    );
  }
  throw new Error(
    `${name} exports no workflow. Export what workflow({ … }) returns: export const order = workflow({ id: "order", … }).`,
  );
}

/** @throws Error if one starts a workflow that is not exported: it would fail at each tick. */
function schedulesIn(all: readonly unknown[], workflows: readonly Workflow[], name: string): DeclaredSchedule[] {
  const schedules = all.filter(isSchedule);
  for (const { id, workflow } of schedules) {
    const started = typeof workflow === "string" ? workflow : workflow.id;
    if (!workflows.some((one) => one.id === started))
      throw new Error(
        `${name} exports the schedule ${JSON.stringify(id)} and not its workflow ${JSON.stringify(started)}. Export the workflow too.`,
      );
  }
  return schedules;
}

function isApp(value: unknown): value is Served {
  const { worker, WorkflowRunDO } = Object(value) as Partial<Served>;
  return typeof WorkflowRunDO === "function" && hasFetch(worker);
}

function hasFetch(value: unknown): boolean {
  if (typeof value === "function")
    return typeof (value.prototype as { readonly fetch?: unknown } | undefined)?.fetch === "function";
  return typeof (Object(value) as { readonly fetch?: unknown }).fetch === "function";
}

function isWorkflow(value: unknown): value is Workflow {
  const { id, run, execute } = Object(value) as Readonly<Record<string, unknown>>;
  return typeof id === "string" && typeof run === "function" && typeof execute === "function";
}

function isSchedule(value: unknown): value is DeclaredSchedule {
  const { id, workflow, cron, every, at } = Object(value) as Readonly<Record<string, unknown>>;
  const starts = typeof workflow === "string" || isWorkflow(workflow);
  return typeof id === "string" && starts && (cron ?? every ?? at) !== undefined;
}
