/**
 * What an entry exports: workflows, or a Worker of `holdfast()`.
 *
 * Owns: the rules by which the exports are recognised, and the message if there is nothing to serve. Pure: the code runs
 * in workerd and in tests.
 */
import type { Workflow } from "@holdfast/workflows";

/** The classes and the handler of a Worker of `holdfast()`. */
export interface Served {
  readonly worker: unknown;
  readonly WorkflowRunDO: unknown;
  readonly RunIndexDO: unknown;
  readonly CoordinatorDO: unknown;
}

export type Exported = { readonly app: Served } | { readonly workflows: readonly Workflow[] };

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
  const workflows = [
    ...new Set(values.flatMap((value) => (Array.isArray(value) ? value : [value])).filter(isWorkflow)),
  ];
  if (workflows.length > 0) return { workflows };
  if (hasFetch(main)) {
    throw new Error(
      `${name} exports a Worker without the class ${classes.run}. Add: export const { WorkflowRunDO, RunIndexDO, CoordinatorDO } = app; with app = holdfast({ … }).`,
    );
  }
  throw new Error(
    `${name} exports no workflow. Export what workflow({ … }) returns: export const order = workflow({ id: "order", … }).`,
  );
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
