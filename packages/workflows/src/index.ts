/** The entry point for workflow authors. */
export {
  CancelledError,
  type ChildFailure,
  ChildRunError,
  FatalError,
  RetryableError,
  TimeoutError,
} from "./errors.ts";
export type {
  AskOptions,
  Group,
  InvokableWorkflow,
  InvokeOptions,
  MatchOptions,
  MetadataWriter,
  ParallelOptions,
  RaceOptions,
  RaceResult,
  RunInfo,
  RunSchedule,
  SendOptions,
  ShieldedOptions,
  SleepOptions,
  StepOptions,
  StreamSource,
  StreamWriter,
  Token,
  TokenOptions,
  TopicOptions,
  TriggerConfig,
  Wait,
  WaitOptions,
  WorkflowConfig,
  WorkflowContext,
} from "./authoring/types.ts";
export { type EventDefinition, type EventOptions, event } from "./authoring/event.ts";
export { type Limit, limit } from "./authoring/limit.ts";
export { type ScheduleOptions, schedule } from "./authoring/schedule.ts";
export { type Workflow, workflow } from "./authoring/workflow.ts";
export type { Log, StepContext } from "./step-context.ts";
export type { Platform } from "./replay/platform.ts";
export type {
  Backoff,
  DeclaredLimit,
  Duration,
  FlowKey,
  FlowOptions,
  InputMap,
  LimitOptions,
  RetryOptions,
  EventFilter,
  Where,
} from "@holdfast/protocol";
