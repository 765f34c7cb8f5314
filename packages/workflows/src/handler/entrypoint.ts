/**
 * `workflowsEntrypoint`: serves workflows to an orchestrator over RPC, from a sibling Worker.
 *
 * Owns: one call per execution. The orchestrator passes its port as a function. The call lasts until the orchestrator needs
 * the execution no longer, so both sides stay in memory while the run is busy.
 */
import {
  type ExecutionReport,
  type ExecutionStart,
  PROTOCOL_VERSION,
  type RpcCall,
  WorkflowIndex,
  type WorkflowsAnswer,
  describeWorkflow,
  portOf,
} from "@holdfast/protocol";
import { fromRpc, toRpc } from "@holdfast/protocol/transport";
import type { Workflow } from "../authoring/workflow.ts";
import { executeOver } from "./execute-over.ts";
import { createStepHandler } from "./step-handler.ts";

export interface WorkflowsService {
  execute(start: ExecutionStart, call: RpcCall): Promise<void>;
  workflows(): Promise<WorkflowsAnswer>;
  fetch(request: Request): Promise<Response>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- a mixin's constructor takes the arguments of its base
type EntrypointClass = abstract new (...given: any[]) => object;

/**
 * Returns a class for a Worker to export. The class also answers `fetch`.
 * `export class Workflows extends workflowsEntrypoint(WorkerEntrypoint, { workflows }) {}`
 */
export function workflowsEntrypoint<Base extends EntrypointClass>(
  base: Base,
  { workflows }: { readonly workflows: readonly Workflow[] },
): abstract new (...given: ConstructorParameters<Base>) => InstanceType<Base> & WorkflowsService {
  const index = new WorkflowIndex(workflows);
  const handler = createStepHandler({ workflows, signingKeys: "unsigned" });
  abstract class Workflows extends base implements WorkflowsService {
    async execute(start: ExecutionStart, call: RpcCall): Promise<void> {
      const send = async (name: "report", given: unknown): Promise<unknown> =>
        fromRpc(await call(name, toRpc(given) as ExecutionReport));
      await executeOver(index, (await fromRpc(start)) as ExecutionStart, portOf(send as RpcCall));
    }

    async workflows(): Promise<WorkflowsAnswer> {
      return { protocol: PROTOCOL_VERSION, workflows: index.all.map(describeWorkflow) };
    }

    fetch(request: Request): Promise<Response> {
      return handler(request);
    }
  }
  return Workflows as unknown as ReturnType<typeof workflowsEntrypoint<Base>>;
}
