/** Code that orchestrator and step handler share and that needs no platform: messages, journal, values, names, limits. */
export { RUN_ACTIONS, type RunAction, type RunActionName } from "./actions.ts";
export { RUN_VIEWS } from "./api.ts";
export type {
  AttemptedWork,
  AuditEntry,
  BodyInFlight,
  BulkAnswer,
  CountsAnswer,
  Delivery,
  DeploymentInfo,
  DispatchFailure,
  LeftOver,
  LeftOverDelivery,
  ListedRun,
  RunErrorInfo,
  RunEvent,
  RunJournalEntry,
  RunLimit,
  RunOverview,
  RunRecord,
  RunResult,
  RunStep,
  RunStream,
  RunSummary,
  RunView,
  RunViews,
  ShownError,
  StepProgress,
  StepReference,
  StepStatus,
  UncompensatedStep,
  Waitpoint,
  WaitpointKind,
} from "./api.ts";
export {
  type Address,
  type AddressKind,
  type StoredAddress,
  addressKey,
  readAddress,
  toStoredAddress,
} from "./address.ts";
export {
  ASK_RISKS,
  type AnswerIssue,
  type Approval,
  type Ask,
  type AskChoice,
  type AskRisk,
  type AskSchema,
} from "./ask.ts";
export { assert } from "./assert.ts";
export { type Defined, defined } from "./defined.ts";
export { type Duration, parseDurationMs, parseRemainingMs, parseTimeMs } from "./durations.ts";
export { isEnveloped, schemeOf } from "./envelope.ts";
export {
  DOCS_URL,
  ERROR_CODES,
  type ErrorCode,
  type ErrorValue,
  HoldfastError,
  boundMessage,
  errorValue,
  invalid,
} from "./errors.ts";
export { errorDocUrl, refusalDocUrl } from "./doc-url.ts";
export type {
  AcceptedEvent,
  CancelDeclaration,
  Condition,
  EventDeclaration,
  EventList,
  EventRecord,
  EventReplay,
  EventsReplayed,
  ReplayedEvent,
  EventTarget,
  EventTargetState,
  EventUse,
  InputMap,
  MatchedTrigger,
  Scalar,
  SendRequest,
  StartingEvent,
  TestedEvent,
  TriggerDeclaration,
  UnmatchedTrigger,
  EventFilter,
  Where,
  ListedEvent,
  TopicRecord,
  TopicSubscriber,
} from "./events.ts";
export {
  type AbortReason,
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  type LiveExecution,
  type OperationEvents,
  type ReportAnswer,
  type RunFacts,
  type ScheduledTick,
  type StepDispatcher,
  type StepInProgress,
  type TopicRequest,
  type WorkflowDescription,
  endsRun,
  valuesOf,
  hasNewProgress,
} from "./execution.ts";
export {
  type AdmittedStep,
  type DeclaredLimit,
  type FlowKey,
  type FlowOptions,
  FUNCTION,
  type GivenKey,
  type LimitOptions,
  type StepLimit,
  flowOf,
} from "./flow.ts";
export { RESERVED_ENTRY_TYPES, RESERVED_HEADER_FIELDS, areKnownFeatures, isKnownEntry } from "./format-room.ts";
export { fromHex, toHex } from "./hex.ts";
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
  fromSegment,
  toSegment,
} from "./ids.ts";
export {
  type ChildOutcome,
  type EntryBody,
  type JournalEntry,
  type MetadataChange,
  type RequestPlace,
  type UnwindCause,
  isOutcome,
} from "./journal.ts";
export { limitsFrom } from "./limit-settings.ts";
export { DEFAULT_LIMITS, HOST_LIMITS, LIMITS, type LimitName, type Limits } from "./limits.ts";
export { checkPattern, matchesPattern } from "./pattern.ts";
export { REPLAY_FLAGS, REPLAY_RULES, type ReplayFlag } from "./replay-flags.ts";
export { NEWEST_FLAGS, PROFILE_0, type ReplayChanges, type ReplayProfile, profileOf } from "./replay-profile.ts";
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
export { type BodiesChanged, type RpcBinding, type RpcCall, type RpcNews, type RpcPort, portOf } from "./rpc.ts";
export { hashText } from "./text-hash.ts";
export { type InheritedPlace, type ReceivedOrder, type StartLineage, lineageOf } from "./lineage.ts";
export { tenantSegment, tokenUrls } from "./token-urls.ts";
export { type Traced, parseTraceparent, spanIdOf, stepKeyOf, traceIdOf, traceparentOf } from "./trace.ts";
export type { Bodies, TurnAnswer, TurnContent, TurnRequest, WorkflowsAnswer } from "./turns.ts";
export {
  ENCODED_UNDEFINED,
  type EncodedValue,
  decodeOrUnreadable,
  decodeValue,
  encodeValue,
  isSameValue,
} from "./values.ts";
export { errorParts, readProperty } from "./error-parts.ts";
export { fromErrorValue, toErrorValue } from "./error-values.ts";
export { type JsonBudget, errorToJson, showValue, shownMessage, toJson } from "./shown-values.ts";
export { FORMAT_VERSION, HOLDFAST_VERSION, PAGED_PROTOCOL_VERSION, PROTOCOL_VERSION } from "./version.ts";
export {
  type ListedWhy,
  WHY_ACTIONS,
  WHY_CODES,
  type WhyAction,
  type WhyActionName,
  type WhyCode,
  type WhyEntry,
  type WhyTarget,
} from "./why.ts";
export { type WorkflowDefinition, WorkflowIndex, describeServed, describeWorkflow } from "./workflow-definition.ts";
export type {
  LimitChange,
  LimitHolder,
  LimitList,
  LimitQueued,
  LimitRecord,
  LimitSettings,
  LimitSync,
  WindowRecord,
} from "./limit-record.ts";
export type {
  DeclaredSchedule,
  ListedSchedule,
  PreviewedTime,
  ScheduleDeclared,
  ScheduleOutcome,
  SchedulePause,
  ScheduleRecord,
  ScheduleStatus,
  ScheduleSync,
  ScheduleTick,
} from "./schedule-api.ts";
