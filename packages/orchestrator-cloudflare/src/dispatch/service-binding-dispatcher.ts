/**
 * Workflow code in a sibling Worker behind a service binding.
 *
 * Owns: the options of this dispatcher, and the choice between RPC and plain requests.
 */
import type { RpcBinding, StepDispatcher } from "@holdfast/protocol";
import * as v from "valibot";
import { checkOptions, hasMethods } from "../options.ts";
import { checkWorkflows } from "./checked-answers.ts";
import { type FetcherLike, lineBinding } from "./line-binding.ts";
import { inPages } from "./paged-execution.ts";
import { RpcExecution } from "./rpc-execution.ts";

export interface ServiceBindingDispatcherOptions {
  /** A binding to an entry point of `workflowsEntrypoint`, or to a Worker that answers with `createStepHandler`. */
  readonly binding: FetcherLike | RpcBinding;
  /**
   * `rpc` (the default): calls of the entry point, the faster pipe. `fetch`: one request per execution, for a Worker
   * without `workflowsEntrypoint`. It cannot be detected: a binding has a stub for every method name.
   */
  readonly pipe?: "rpc" | "fetch" | undefined;
}

const OPTIONS = v.strictObject({
  binding: v.custom<FetcherLike | RpcBinding>(
    // A binding of the platform has a stub for each name, so it has both.
    (value) => hasMethods("fetch")(value) || hasMethods("execute")(value) || hasMethods("workflows")(value),
    "must be a service binding. Add the service to `services` of wrangler.jsonc and pass env.<its binding>",
  ),
  pipe: v.optional(v.picklist(["rpc", "fetch"], 'must be "rpc" or "fetch"')),
} satisfies Record<keyof ServiceBindingDispatcherOptions, v.GenericSchema>);

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
export function createServiceBindingDispatcher(options: ServiceBindingDispatcherOptions): StepDispatcher {
  checkOptions(OPTIONS, options, "createServiceBindingDispatcher");
  const { binding, pipe = "rpc" } = options;
  const rpc = pipe === "rpc" ? (binding as RpcBinding) : lineBinding(binding as FetcherLike);
  return {
    ...inPages((start, port) => new RpcExecution(start, port, rpc)),
    workflows: async () => checkWorkflows(await rpc.workflows()).workflows,
  };
}
