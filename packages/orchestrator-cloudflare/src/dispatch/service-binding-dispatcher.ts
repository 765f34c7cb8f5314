/**
 * Workflow code in a sibling Worker behind a service binding.
 *
 * Owns: the options of this dispatcher, and the choice between RPC and plain requests.
 */
import { HoldfastError, type RpcBinding, type StepDispatcher, checkFields } from "@holdfast/protocol";
import { type FetcherLike, lineBinding } from "./line-binding.ts";
import { RpcExecution } from "./rpc-execution.ts";

export interface ServiceBindingDispatcherOptions {
  /** A binding to an entry point of `workflowsEntrypoint`, or to a Worker that answers with `createStepHandler`. */
  readonly binding: FetcherLike | RpcBinding;
  /**
   * `rpc` (the default): calls of the entry point, the faster pipe. `fetch`: one request per execution, for a Worker
   * without `workflowsEntrypoint`. It cannot be detected: a binding has a stub for every method name.
   */
  readonly pipe?: "rpc" | "fetch";
}

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options. */
export function createServiceBindingDispatcher(options: ServiceBindingDispatcherOptions): StepDispatcher {
  checkFields(options, ["binding", "pipe"], "createServiceBindingDispatcher");
  const { binding, pipe = "rpc" } = options;
  if (binding === undefined || binding === null) {
    throw new HoldfastError(
      "INVALID_ARGUMENT",
      "createServiceBindingDispatcher.binding: is missing. Add the service to `services` of wrangler.jsonc and pass env.<its binding>.",
    );
  }
  const rpc = pipe === "rpc" ? (binding as RpcBinding) : lineBinding(binding as FetcherLike);
  return {
    start: (start, port) => new RpcExecution(start, port, rpc),
    workflows: async () => (await rpc.workflows()).workflows,
  };
}
