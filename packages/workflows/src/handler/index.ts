/** The entry point for processes that serve workflows to an orchestrator. */
export { type WorkflowsService, workflowsEntrypoint } from "./entrypoint.ts";
export type { AcceptConnection, ConnectionSocket, HostConnection } from "./connections.ts";
export type { NonceStore, RequestCheckOptions } from "./request-check.ts";
export type { SessionLimits } from "./sessions.ts";
export { type StepHandler, type StepHandlerOptions, createStepHandler } from "./step-handler.ts";
export type { RpcCall, RpcNews, RpcPort } from "@holdfast/protocol";
