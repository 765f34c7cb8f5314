/** Serving workflows to an orchestrator that lives elsewhere. */
export { type WorkflowsService, workflowsEntrypoint } from "./entrypoint.ts";
export type { RpcExecution, RpcPort } from "./rpc.ts";
export type { SessionLimits } from "./sessions.ts";
export { type StepHandler, type StepHandlerOptions, createStepHandler } from "./step-handler.ts";
