/** What a workflow author imports. */
export { CancelledError, ChildRunError, FatalError, RetryableError, TimeoutError } from "./authoring/errors.ts";
export type {
  Group,
  InvokableWorkflow,
  InvokeOptions,
  Log,
  MatchOptions,
  MetadataWriter,
  ParallelOptions,
  RunInfo,
  StepContext,
  StepOptions,
  StreamSource,
  StreamWriter,
  Token,
  TokenOptions,
  Wait,
  WaitOptions,
  WorkflowConfig,
  WorkflowContext,
} from "./authoring/types.ts";
export { type Workflow, workflow } from "./authoring/workflow.ts";
export type { Platform } from "./replay/platform.ts";
export type { Backoff, Duration, RetryOptions } from "@holdfast/protocol";
