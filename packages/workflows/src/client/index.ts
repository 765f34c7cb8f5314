/** The typed client of the HTTP API. */
export { Client, type InputOf, type OutputOf, createClient } from "./client.ts";
export { RUN_STATUSES, errorDocUrl, isTerminal } from "@holdfast/protocol";
export {
  EventHandle,
  type EventOptions,
  type NamedEvent,
  type ReplayEventsOptions,
  type ReplayOptions,
  type SendEventOptions,
} from "./event-handle.ts";
export { LimitHandle } from "./limit-handle.ts";
export { WindowHandle } from "./window-handle.ts";
export { type Backfill, ScheduleHandle } from "./schedule-handle.ts";
export { ApiError, ConnectionError, RunFailedError } from "./errors.ts";
export type { StreamOptions } from "./run-events.ts";
export { type DeliveryOptions, type JournalOptions, RunHandle, type StreamTicket } from "./run-handle.ts";
export type { ClientOptions } from "./transport.ts";
export type {
  AcceptedEvent,
  AnswerIssue,
  Approval,
  Ask,
  AuditEntry,
  BulkAnswer,
  CountsAnswer,
  Delivery,
  DeclaredSchedule,
  DeploymentInfo,
  EventRecord,
  EventReplay,
  ReplayedEvent,
  EventTarget,
  LimitHolder,
  LimitQueued,
  LimitChange,
  LimitRecord,
  LimitSettings,
  ListedEvent,
  ListedRun,
  ListedSchedule,
  PreviewedTime,
  RunAction,
  RunActionName,
  RunErrorInfo,
  RunEvent,
  RunJournalEntry as JournalEntry,
  RunOverview,
  RunRecord,
  RunResult,
  RunStatus,
  RunStep,
  RunSummary,
  RunView,
  RunViews,
  ScheduleRecord,
  ScheduleStatus,
  ScheduleSync,
  ScheduleTick,
  TestedEvent,
  TopicRecord,
  TopicSubscriber,
  UnmatchedTrigger,
  Waitpoint,
  WhyEntry,
  WindowRecord,
  WorkflowDescription as WorkflowInfo,
} from "@holdfast/protocol";
export type {
  ApprovalOptions,
  BulkOptions,
  CallOptions,
  EndedOptions,
  GetOptions,
  Health,
  ListOptions,
  ResumeOptions,
  RunFilter,
  ShownRun,
  StartedRun,
  TriggerOptions,
} from "./types.ts";
