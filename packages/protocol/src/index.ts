/** What orchestrator and step handler share: messages, journal entries, values, errors, names, limits. */
export type {
  AttemptedWork,
  AuditEntry,
  BulkAnswer,
  Delivery,
  DispatchFailure,
  ListedRun,
  RunErrorInfo,
  RunEvent,
  RunJournalEntry,
  RunRecord,
  RunStep,
  RunStream,
  RunSummary,
  ShownError,
  StepStatus,
  UncompensatedStep,
  Waitpoint,
  WaitpointKind,
} from "./api.ts";
export { assert } from "./assert.ts";
export { type Duration, parseDurationMs, parseTimeMs } from "./durations.ts";
export { ERROR_CODES, type ErrorCode, type ErrorValue, HoldfastError, boundMessage, errorValue } from "./errors.ts";
export type {
  AbortReason,
  ExecutionEvent,
  ExecutionPort,
  ExecutionReport,
  ExecutionStart,
  ExecutionUpdate,
  LiveExecution,
  OperationEvents,
  ReportAnswer,
  RunFacts,
  StepDispatcher,
  StepInProgress,
  WorkflowDescription,
} from "./execution.ts";
export {
  type Operation,
  type OperationId,
  type OperationKind,
  UNWIND,
  describeOperation,
  idProblem,
  nameProblem,
  operationId,
  parseOperationId,
} from "./ids.ts";
export {
  type ChildOutcome,
  type EntryBody,
  type JournalEntry,
  type MetadataChange,
  type UnwindCause,
  isOutcome,
} from "./journal.ts";
export { type LineToExecution, type LineToOrchestrator, readLines } from "./lines.ts";
export { setLimits } from "./limit-settings.ts";
export { LIMITS, type LimitName } from "./limits.ts";
export { matchesPattern } from "./pattern.ts";
export { type Metadata, changeMetadata, metadataFits } from "./metadata.ts";
export {
  type Backoff,
  DEFAULT_RETRY,
  type RetryOptions,
  type RetryPolicy,
  checkFields,
  resolveRetry,
} from "./retry.ts";
export { RUN_STATUSES, type RunStatus, TERMINAL_STATUSES, type TerminalStatus, isTerminal } from "./run-status.ts";
export {
  SIGNATURE_AGE_MS_MAX,
  SIGNATURE_HEADER,
  SeenNonces,
  type Verdict,
  checkSigningKey,
  signRequest,
  verifyRequest,
} from "./signing.ts";
export { parseTraceparent, spanIdOf, traceIdOf, traceparentOf } from "./trace.ts";
export type { TurnAnswer, TurnContent, TurnRequest, WorkflowsAnswer } from "./turns.ts";
export {
  ENCODED_UNDEFINED,
  type EncodedValue,
  decodeValue,
  encodeValue,
  errorToJson,
  fromErrorValue,
  isSameValue,
  type JsonBudget,
  readProperty,
  toErrorValue,
  toJson,
} from "./values.ts";
export { FORMAT_VERSION, PROTOCOL_VERSION } from "./version.ts";
export { type WorkflowDefinition, WorkflowIndex } from "./workflow-definition.ts";
