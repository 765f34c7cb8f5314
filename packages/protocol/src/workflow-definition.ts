/**
 * A workflow as the engine sees it: an id, a version, and a function that starts an execution.
 *
 * Owns: the interface between the authoring package and the hosts of workflow code. A dispatcher needs no replay engine:
 * a definition contains the engine of the package that it was written with.
 */
import type { AskSchema } from "./ask.ts";
import { defined } from "./defined.ts";
import { HoldfastError } from "./errors.ts";
import { flowAsData, flowOf } from "./flow.ts";
import { HOST_LIMITS } from "./limits.ts";
import type { ExecutionPort, ExecutionStart, LiveExecution, WorkflowDescription } from "./execution.ts";

/** The part of a result of `workflow()` that hosts need. */
export interface WorkflowDefinition extends WorkflowDescription {
  /** Starts an execution, with the same contract as `StepDispatcher.start`. */
  readonly execute: (start: ExecutionStart, port: ExecutionPort) => LiveExecution;
  /** Its executions read the journal in pages (`ExecutionStart.more`). */
  readonly readsPages?: true;
  /** The author's schema of the input: any Standard Schema. */
  readonly input?: unknown;
  /** The author's function. It distinguishes two definitions with the same id. */
  readonly run: unknown;
}

/** Returns the description of a workflow as data, without its code. It is for lists: it may convert a schema. */
export function describeWorkflow(workflow: WorkflowDefinition): WorkflowDescription {
  return { ...describeSettings(workflow), ...defined({ inputSchema: convertSchema(workflow.input) }) };
}

function describeSettings(workflow: WorkflowDescription): WorkflowDescription {
  const { id, version, description, tags, timeoutMs, flow } = workflow;
  return defined({ id, version, description, tags, timeoutMs, flow: flowAsData(flow) });
}

/** Returns a Standard Schema as JSON Schema, if its library converts it and the result is not too large. */
function convertSchema(schema: unknown): AskSchema | undefined {
  try {
    const text = JSON.stringify(Object(schema)["~standard"].jsonSchema.input({ target: "draft-2020-12" }));
    return text.length > HOST_LIMITS.askSchemaChars ? undefined : JSON.parse(text);
  } catch {
    // The library converts no schema, or not this one. The list is for readers: a run still checks its input.
    return undefined;
  }
}

/** The same for the process that has the code: the functions of `flow` are there. */
export function describeServed(workflow: WorkflowDescription | undefined): WorkflowDescription | null {
  if (workflow === undefined) return null;
  const { flow: _data, ...described } = describeSettings(workflow);
  return { ...described, ...defined({ flow: flowOf(workflow.flow) }) };
}

/** The workflows of one host, by id and version. */
export class WorkflowIndex<W extends WorkflowDefinition = WorkflowDefinition> {
  readonly #byId = new Map<string, W[]>();

  /**
   * @throws HoldfastError `INVALID_ARGUMENT` if it is not a list of definitions (RUN7), or if two different functions share
   * one id and version, naming both (RUN8).
   */
  constructor(workflows: readonly W[]) {
    if (!Array.isArray(workflows)) throw invalid("workflows: must be a list of what workflow() returned.");
    for (const [position, workflow] of workflows.entries()) {
      if (typeof workflow?.execute !== "function") throw invalid(notAWorkflow(position));
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
   * Finds the workflow for a run (RUN4). A run with a version gets the code with that version, or else the code without
   * one. A run without a version gets the last workflow of the list with this id.
   */
  find(id: string, version: string | undefined): W | undefined {
    const candidates = this.#byId.get(id) ?? [];
    if (version === undefined) return candidates.at(-1);
    return candidates.find((one) => one.version === version) ?? candidates.find((one) => one.version === undefined);
  }
}

function invalid(message: string): HoldfastError {
  return new HoldfastError("INVALID_ARGUMENT", message);
}

function notAWorkflow(position: number): string {
  return `workflows[${position}]: is not what workflow() returned. An undefined item often comes from modules that import each other.`;
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
