/**
 * Turns: how the contract of `execution.ts` is spoken over requests and answers, where no callback can cross.
 *
 * Owns: the messages of the two fetch pipes. A turn is one POST with what is new and one answer with what happened. The
 * step handler keeps the execution between turns under a session; when the session is gone it says so, and the
 * orchestrator begins another execution from the journal.
 *
 * Invariants
 * - U1 A request that is repeated (same session and turn) is not applied again; it is answered with what there is to say.
 * - U2 A report is said again, with its number, until its answer has come. A number is committed once.
 * - U3 Updates are taken in their order, each once, whichever request brings them.
 */
import type { ErrorValue } from "./errors.ts";
import type {
  AbortReason,
  ExecutionReport,
  ExecutionStart,
  ExecutionUpdate,
  ReportAnswer,
  StepInProgress,
  WorkflowDescription,
} from "./execution.ts";

export interface TurnRequest {
  readonly protocol: number;
  /** Unguessable; one for each execution. */
  readonly session: string;
  /** 1 for the first, one more for each: requests with an older number are repeated ones. */
  readonly turn: number;
  /** Begins the execution. Only in the first turn. */
  readonly start?: ExecutionStart;
  /** The answer to the report of this number. */
  readonly answer?: { readonly report: number; readonly answer: ReportAnswer };
  readonly updates?: readonly ExecutionUpdate[];
  /** How many updates of this session were before these: requests may overtake each other. */
  readonly updatesBefore?: number;
  readonly abort?: AbortReason;
  /** How long the answer may wait for something to say, ms. */
  readonly waitMs?: number;
  /** Do not wait for something to say: another request of this session does, or nobody is interested any more. */
  readonly aside?: true;
}

/** `session` is that of the request. */
export type TurnAnswer = { readonly session: string } & TurnContent;

/** What there is to say. */
export type TurnContent =
  /** The execution has something to say. It waits for the answer. */
  | {
      readonly type: "report";
      readonly number: number;
      readonly report: ExecutionReport;
      readonly inProgress: readonly StepInProgress[];
    }
  /** Bodies execute, or the code awaits something: ask again. */
  | { readonly type: "busy"; readonly inProgress: readonly StepInProgress[] }
  /** Nothing will be said before there is news. */
  | { readonly type: "idle" }
  /** The execution cannot be begun, or broke down. */
  | { readonly type: "lost"; readonly error: ErrorValue }
  /** The handler knows no such session (any more). */
  | { readonly type: "unknown_session" };

/** What a handler serves: the answer to `GET …/workflows`. */
export interface WorkflowsAnswer {
  readonly protocol: number;
  readonly workflows: readonly WorkflowDescription[];
}
