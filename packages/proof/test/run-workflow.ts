/**
 * Short forms for the suites of this folder: one workflow function, one run.
 */
import type { RunHeader } from "@holdfast/orchestrator";
import { fromErrorValue } from "@holdfast/protocol";
import { type Workflow, type WorkflowContext, workflow } from "@holdfast/workflows";
import { MemoryHost, type MemoryHostOptions } from "@holdfast/workflows/testing";

// oxlint-disable-next-line typescript/no-explicit-any -- inputs of test workflows are whatever the test gives
type Body = (ctx: WorkflowContext, input: any) => unknown;

export interface HostOptions extends Omit<MemoryHostOptions, "workflows"> {
  readonly input?: unknown;
  readonly trigger?: Parameters<MemoryHost["trigger"]>[2];
  readonly config?: Partial<Parameters<typeof workflow>[0]>;
}

/** A workflow "w" whose function is `body`. */
export function workflowOf(body: Body, config: HostOptions["config"] = {}): Workflow {
  const made: Workflow = workflow({ ...config, id: "w", run: (input, ctx) => body(ctx, input) });
  return made;
}

/** Triggers a run of `body` and lets it go as far as it can without time passing. */
export async function started(body: Body, options: HostOptions = {}): Promise<MemoryHost> {
  const { input, trigger, config, ...host } = options;
  const memory = new MemoryHost({ ...host, workflows: [workflowOf(body, config)] });
  memory.trigger("w", input, trigger);
  await memory.settle();
  return memory;
}

/** Triggers a run of `body` and lets time pass until it ends. */
export async function finished(body: Body, options: HostOptions = {}): Promise<MemoryHost> {
  const host = await started(body, options);
  await host.advance();
  return host;
}

/** What a run came to: its output, or its error. */
export function outcomeOf(host: MemoryHost): { status: RunHeader["status"]; output: unknown; error: unknown } {
  const { status, error } = host.header;
  return { status, output: host.output, error: error && fromErrorValue(error).message };
}

/** Which journal entries there are, as short texts. */
export function journalOf(host: MemoryHost): string[] {
  return host.journal.map((entry) => `${entry.type} ${entry.op}`);
}
