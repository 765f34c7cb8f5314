/**
 * A workflow as the engine sees it: an id, a version, and a way to execute it.
 *
 * Owns: the seam between the authoring package and whoever hosts code. A dispatcher needs no replay engine of its own:
 * the definition brings the one that it was written with.
 */
import { defined } from "./defined.ts";
import { HoldfastError } from "./errors.ts";
import type { ExecutionPort, ExecutionStart, LiveExecution, WorkflowDescription } from "./execution.ts";

/** What `workflow()` returns, reduced to what a host needs. */
export interface WorkflowDefinition extends WorkflowDescription {
  /** Begins an execution; the same contract as `StepDispatcher.start`. */
  readonly execute: (start: ExecutionStart, port: ExecutionPort) => LiveExecution;
  /** The author's function: tells two definitions with one id apart. */
  readonly run: unknown;
}

/** What a caller may know of a workflow: its description without the code. */
export function describeWorkflow(workflow: WorkflowDescription): WorkflowDescription {
  const { id, version, description, tags, timeoutMs } = workflow;
  return defined({ id, version, description, tags, timeoutMs });
}

/** The workflows of one host, found by id and version. */
export class WorkflowIndex<W extends WorkflowDefinition = WorkflowDefinition> {
  readonly #byId = new Map<string, W[]>();

  /**
   * @throws HoldfastError `INVALID_ARGUMENT` if two different functions share one id and version, naming both (RUN8).
   */
  constructor(workflows: readonly W[]) {
    for (const [position, workflow] of workflows.entries()) {
      const others = this.#byId.get(workflow.id) ?? [];
      const same = others.find((other) => other.version === workflow.version);
      if (same !== undefined && same.run !== workflow.run) throw duplicateError(workflows, same, workflow, position);
      this.#byId.set(workflow.id, [...others.filter((other) => other !== same), workflow]);
    }
  }

  get all(): readonly W[] {
    return [...this.#byId.values()].flat();
  }

  /**
   * The workflow for a run: of the run's version, if it has one (RUN4). Code without a version serves every run; a run
   * without a version gets the newest code, which is the last in the list.
   */
  find(id: string, version: string | undefined): W | undefined {
    const candidates = this.#byId.get(id) ?? [];
    if (version === undefined) return candidates.at(-1);
    return candidates.find((one) => one.version === version) ?? candidates.find((one) => one.version === undefined);
  }
}

function duplicateError(
  workflows: readonly WorkflowDefinition[],
  first: WorkflowDefinition,
  second: WorkflowDefinition,
  position: number,
): HoldfastError {
  const version = first.version === undefined ? "" : ` and the version ${JSON.stringify(first.version)}`;
  return new HoldfastError(
    "INVALID_ARGUMENT",
    `workflows[${workflows.indexOf(first)}] (${functionName(first.run)}) and workflows[${position}] (${functionName(second.run)}) both have the id ${JSON.stringify(first.id)}${version}. Give one of them another id or version.`,
  );
}

function functionName(run: unknown): string {
  return typeof run === "function" && run.name !== "" ? `function ${run.name}` : "a function without a name";
}
