/** Holdfast on Cloudflare: the handlers of the Worker and of the run's Durable Object, and the dispatchers. */
export type { WorkerDeps } from "./api/api-context.ts";
export { type VerifyRequest, type VerifyResult, bearerAuth, closed } from "./auth.ts";
export { handleDurableObjectAlarm, handleDurableObjectRequest } from "./durable-object.ts";
export { DurableObjectStore } from "./durable-object-store.ts";
export { type InlineDispatcherOptions, createInlineDispatcher } from "./inline-dispatcher.ts";
export type {
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  DurableObjectStubLike,
  SyncKvListOptions,
  SyncKvStorageLike,
} from "./platform-types.ts";
export type { RunObjectDeps } from "./run-object.ts";
export { handleWorkerRequest } from "./worker.ts";
export type { StepDispatcher } from "@holdfast/protocol";
