/** The typed client of the HTTP API. */
export { Client, type InputOf, type OutputOf, createClient } from "./client.ts";
export { RUN_STATUSES, isTerminal } from "@holdfast/protocol";
export { ApiError, ConnectionError, RunFailedError } from "./errors.ts";
export type { StreamOptions } from "./run-events.ts";
export { type DeliveryOptions, type JournalOptions, RunHandle, type StreamTicket } from "./run-handle.ts";
export type { ClientOptions } from "./transport.ts";
export type {
  AnswerIssue,
  Approval,
  Ask,
  AuditEntry,
  BulkAnswer,
  CountsAnswer,
  Delivery,
  DeploymentInfo,
  ListedRun,
  RunAction,
  RunActionName,
  RunErrorInfo,
  RunEvent,
  RunJournalEntry as JournalEntry,
  RunRecord,
  RunStatus,
  RunStep,
  RunSummary,
  Waitpoint,
  WhyEntry,
  WorkflowDescription as WorkflowInfo,
} from "@holdfast/protocol";
export type {
  ApprovalOptions,
  BulkOptions,
  CallOptions,
  GetOptions,
  Health,
  ListOptions,
  ResumeOptions,
  RunFilter,
  TriggerOptions,
} from "./types.ts";
