/**
 * Turns: the contract of `execution.ts` over requests and answers, for transports without callbacks.
 *
 * Owns: the messages. A turn is one POST with messages to the execution, and one answer with messages of the execution.
 * Between turns the step handler holds the execution under its session. A handler that no longer holds the session
 * answers `unknown_session`; the orchestrator then starts another execution from the journal.
 *
 * Invariants
 * - U1 A repeated request (same session, and a turn that is not newer) is not applied again. The handler answers it with
 *   the execution's current content.
 * - U2 A report is repeated with its number until its answer arrives. A number is committed once.
 * - U3 Updates are applied in their order, each once, whichever request contains them.
 * - U4 A request that names another instance of the handler changes nothing.
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
import type { JournalEntry } from "./journal.ts";

export interface TurnRequest {
  readonly protocol: number;
  /** A random id of the execution, which cannot be guessed. */
  readonly session: string;
  /** The instance of the handler that holds the session, from its first answer. Any other one answers `wrong_instance`. */
  readonly instance?: string;
  /** 1 for the first request, then 1 more for each. A request whose number is not higher is a repetition. */
  readonly turn: number;
  /** Starts the execution. Only in the first turn. */
  readonly start?: ExecutionStart;
  /** The answer to the report of this number. */
  readonly answer?: { readonly report: number; readonly answer: ReportAnswer };
  /** The page of the journal that the handler requested. */
  readonly page?: { readonly after: number; readonly entries: readonly JournalEntry[] };
  readonly updates?: readonly ExecutionUpdate[];
  /** The number of updates in earlier requests of this session. Requests may overtake each other. */
  readonly updatesBefore?: number;
  readonly abort?: AbortReason;
  /** How long the handler may wait for a message of the execution before it answers, ms. */
  readonly waitMs?: number;
  /** The orchestrator follows the list of bodies itself: answers contain only the bodies that began (`Bodies`). */
  readonly changes?: true;
  /** The handler must not wait: another request of this session waits, or the orchestrator needs no more reports. */
  readonly aside?: true;
}

export type TurnAnswer = {
  /** The session of the request. */
  readonly session: string;
  /** The instance of the handler that answers: a random id of its process. Handlers of earlier versions have none. */
  readonly instance?: string;
  /** The handler holds no sessions: after this answer the execution is over. */
  readonly stateless?: true;
} & TurnContent;

/** The bodies that execute. A turn that lists all of them each time would be expensive in a run with thousands. */
export interface Bodies {
  /** All of them. Only for a request without `changes`. */
  readonly inProgress?: readonly StepInProgress[];
  /** Those that began, or have new progress, since the answer to the previous turn. An outcome in a report ends one. */
  readonly began?: readonly StepInProgress[];
  /** The number of all of them. Another number than expected makes the orchestrator request the whole list. */
  readonly executing?: number;
}

/** The content of an answer. */
export type TurnContent =
  /** The execution reports events and waits for the answer. */
  | ({ readonly type: "report"; readonly number: number; readonly report: ExecutionReport } & Bodies)
  /** The execution waits for the page of the journal after this entry. The next turn carries it. */
  | { readonly type: "page"; readonly after: number }
  /** Bodies execute, or the code awaits another promise. The orchestrator must send another turn. */
  | ({ readonly type: "busy" } & Bodies)
  /** The execution reports nothing until it receives an update. */
  | { readonly type: "idle" }
  /** The execution cannot be started, or has failed. */
  | { readonly type: "lost"; readonly error: ErrorValue }
  /** The handler does not hold this session, or no longer holds it. `upMs`: how long its process has existed. */
  | { readonly type: "unknown_session"; readonly upMs?: number }
  /** The request is for another instance than `mine`, which has existed for `upMs`. Nothing was applied (U4). */
  | { readonly type: "wrong_instance"; readonly mine: string; readonly upMs: number };

/** The workflows that a handler serves: the answer to `GET …/workflows`. */
export interface WorkflowsAnswer {
  readonly protocol: number;
  readonly instance?: string;
  readonly workflows: readonly WorkflowDescription[];
}
