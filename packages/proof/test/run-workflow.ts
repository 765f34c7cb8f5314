/**
 * Runs one workflow function in memory, for the tests of this folder.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import { fromErrorValue } from "@holdfast/protocol";
import { type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions } from "@holdfast/workflows/testing";

// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the input type of its workflow
type Body = (ctx: WorkflowContext, input: any) => unknown;

export interface HostOptions extends Omit<MemoryHostOptions, "workflows"> {
  readonly input?: unknown;
  readonly trigger?: Parameters<MemoryHost["trigger"]>[2];
  readonly config?: Partial<Parameters<typeof workflow>[0]>;
}

/** Returns a workflow "w" with the function `body`. */
export function workflowOf(body: Body, config: HostOptions["config"] = {}): Workflow {
  const made: Workflow = workflow({ ...config, id: "w", run: (input, ctx) => body(ctx, input) });
  return made;
}

/** Triggers a run of `body` and executes it until it waits or ends. The clock does not advance. */
export async function started(body: Body, options: HostOptions = {}): Promise<MemoryHost> {
  const { input, trigger, config, ...host } = options;
  const memory = new MemoryHost({ ...host, workflows: [workflowOf(body, config)] });
  memory.trigger("w", input, trigger);
  await memory.settle();
  return memory;
}

/** Triggers a run of `body` and advances the clock until it ends. */
export async function finished(body: Body, options: HostOptions = {}): Promise<MemoryHost> {
  const host = await started(body, options);
  await host.advance();
  return host;
}

/** Returns the status of a run, and its output or error. */
export function outcomeOf(host: MemoryHost): { status: RunHeader["status"]; output: unknown; error: unknown } {
  const { status, error } = host.header;
  return { status, output: host.output, error: error && fromErrorValue(error).message };
}

/** Waits one event-loop turn. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Returns the journal as `type op` of each entry. */
export function journalOf(host: MemoryHost): string[] {
  return host.journal.map((entry) => `${entry.type} ${entry.op}`);
}
