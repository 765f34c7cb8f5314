/** Holdfast on Cloudflare: the handlers of the Worker and of the run's Durable Object, and the dispatchers. */
export type { WorkerDeps } from "./api/call/worker-deps.ts";
export { type BearerToken, bearerAuth } from "./auth/bearer.ts";
export { type HmacKey, KEY_HEADER, hmacAuth } from "./auth/hmac.ts";
export { type JwtAuthOptions, cloudflareAccess, jwtAuth } from "./auth/jwt.ts";
export {
  type Principal,
  SCOPES,
  type Scope,
  type VerifyRequest,
  type VerifyResult,
  anyOf,
  closed,
} from "./auth/principal.ts";
export {
  handleDurableObjectAlarm,
  handleDurableObjectRequest,
  handleDurableObjectWebSocketMessage,
} from "./run-object/handlers.ts";
export { DurableObjectStore } from "./run-object/store.ts";
export { type HttpDispatcherOptions, createHttpDispatcher } from "./dispatch/http-dispatcher.ts";
export { type InlineDispatcherOptions, createInlineDispatcher } from "./dispatch/inline-dispatcher.ts";
export type { FetcherLike } from "./dispatch/line-binding.ts";
export {
  type ServiceBindingDispatcherOptions,
  createServiceBindingDispatcher,
} from "./dispatch/service-binding-dispatcher.ts";
export {
  type DispatchNamespaceDispatcherOptions,
  type DispatchNamespaceLike,
  type DispatchedRun,
  type ScriptLimits,
  createDispatchNamespaceDispatcher,
} from "./dispatch/dispatch-namespace-dispatcher.ts";
export type {
  BucketLike,
  DurableObjectNamespaceLike,
  DurableObjectStorageLike,
  DurableObjectStubLike,
  ExecutionContextLike,
  HibernatingSocketLike,
  RateLimitLike,
  SocketHostLike,
  SqlStorageLike,
  SyncKvListOptions,
  SyncKvStorageLike,
} from "./platform-types.ts";
export { type DurableObjectIndexOptions, durableObjectIndex } from "./index-object/durable-object-index.ts";
export { type RunIndexObjectDeps, handleRunIndexRequest } from "./index-object/index-object.ts";
export { type IndexCounts, type RunCount, type RunCounts } from "./index-object/run-counts.ts";
export type { Position, RunFilter, RunIndex, RunPage, RunQuery } from "./index-object/run-index.ts";
export type { Retention, RunObjectDeps } from "./run-object/deps.ts";
export { type OtlpOptions, otlpCounters, otlpExporter } from "./telemetry/otlp.ts";
export { type CounterGrowth, type Telemetry, type TelemetryEvent, logEvents } from "./telemetry/telemetry.ts";
export { handleWorkerRequest } from "./worker.ts";
// For authors of dispatchers.
export type { IndexRow } from "@holdfast/orchestrator";
export { type Duration, type Limits, limitsFrom } from "@holdfast/protocol";
export {
  type ErrorValue,
  type ExecutionPort,
  type ExecutionStart,
  type LiveExecution,
  type StepDispatcher,
  decodeValue,
  errorValue,
} from "@holdfast/protocol";
export type { RpcBinding, RpcCall, RpcNews, RpcPort } from "@holdfast/protocol";
