/** The typed client of the HTTP API. */
export { Client, type InputOf, type OutputOf, createClient } from "./client.ts";
export { ApiError, ConnectionError, RunFailedError } from "./errors.ts";
export type { StreamOptions } from "./run-events.ts";
export { type DeliveryOptions, RunHandle } from "./run-handle.ts";
export type { ClientOptions } from "./transport.ts";
export type {
  AuditEntry,
  BulkAnswer,
  BulkOptions,
  CallOptions,
  Delivery,
  JournalEntry,
  ListOptions,
  ListedRun,
  ResumeOptions,
  RunErrorInfo,
  RunEvent,
  RunFilter,
  RunRecord,
  RunStatus,
  RunStep,
  RunSummary,
  TriggerOptions,
  Waitpoint,
  WorkflowInfo,
} from "./types.ts";
