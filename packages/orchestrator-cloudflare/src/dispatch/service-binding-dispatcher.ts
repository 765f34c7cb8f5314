/**
 * Workflow code in a sibling Worker behind a service binding.
 *
 * Owns: the options of this dispatcher, and the choice between RPC and plain requests.
 */
import {
  type ExecutionReport,
  type ExecutionStart,
  type RpcBinding,
  type RpcCall,
  type StepDispatcher,
  type WorkflowsAnswer,
  invalid,
} from "@holdfast/protocol";
import { fromRpc, toRpc } from "@holdfast/protocol/transport";
import * as v from "valibot";
import { checkOptions, hasMethods, isServiceBinding } from "../options.ts";
import { checkWorkflows } from "./checked-answers.ts";
import { type FetcherLike, lineBinding } from "./line-binding.ts";
import { inPages } from "./paged-execution.ts";
import { RpcExecution } from "./rpc-execution.ts";
import { NO_ENTRY_POINT, NO_HANDLER, wiringMistake } from "./wiring.ts";

export interface ServiceBindingDispatcherOptions {
  /** A binding to an entry point of `workflowsEntrypoint`, or to a Worker that answers with `createStepHandler`. */
  readonly binding: FetcherLike | RpcBinding;
  /**
   * `rpc` (the default): calls of the entry point, the faster pipe. `fetch`: one request per execution, for a Worker
   * without `workflowsEntrypoint`. It cannot be detected: a binding has a stub for every method name.
   */
  readonly pipe?: "rpc" | "fetch" | undefined;
}

const isRpcBinding = hasMethods("execute", "workflows");

const OPTIONS = v.strictObject({
  binding: v.custom<FetcherLike | RpcBinding>(
    (value) => isServiceBinding(value) || hasMethods("fetch")(value) || isRpcBinding(value),
    "must be a service binding. Add the service to `services` of wrangler.jsonc and pass env.<its binding>",
  ),
  pipe: v.optional(v.picklist(["rpc", "fetch"], 'must be "rpc" or "fetch"')),
} satisfies Record<keyof ServiceBindingDispatcherOptions, v.GenericSchema>);

/**
 * @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). A binding of the platform does not say what it leads
 *   to: if that is a Worker without the entry point, triggers and `GET /api/workflows` are answered `503 misconfigured`.
 */
export function createServiceBindingDispatcher(options: ServiceBindingDispatcherOptions): StepDispatcher {
  checkOptions(OPTIONS, options, "createServiceBindingDispatcher");
  const { binding, pipe = "rpc" } = options;
  const mistake = mistakeOf(binding, pipe);
  if (mistake !== undefined) throw invalid("createServiceBindingDispatcher.binding", mistake);
  const rpc = pipe === "rpc" ? overRpc(binding as RpcBinding) : lineBinding(binding as FetcherLike);
  return {
    ...inPages((start, port) => new RpcExecution(start, port, rpc)),
    workflows: async () => checkWorkflows(await listOf(rpc)).workflows,
  };
}

/** A binding of Workers RPC, for messages of any size. */
function overRpc(binding: RpcBinding): RpcBinding {
  return {
    execute(start, call) {
      const answer = async (name: "report", given: unknown): Promise<unknown> =>
        toRpc(await call(name, (await fromRpc(given)) as ExecutionReport));
      return binding.execute(toRpc(start) as ExecutionStart, answer as RpcCall);
    },
    workflows: () => binding.workflows(),
  };
}

/** What is wrong with a binding whose methods are known. */
function mistakeOf(binding: unknown, pipe: "rpc" | "fetch"): string | undefined {
  if (isServiceBinding(binding)) return undefined;
  if (pipe === "rpc") return isRpcBinding(binding) ? undefined : NO_ENTRY_POINT;
  return hasMethods("fetch")(binding) ? undefined : NO_HANDLER;
}

async function listOf(rpc: RpcBinding): Promise<WorkflowsAnswer> {
  try {
    return await rpc.workflows();
  } catch (error) {
    const mistake = wiringMistake(error);
    throw mistake === undefined ? error : invalid("createServiceBindingDispatcher.binding", mistake);
  }
}
