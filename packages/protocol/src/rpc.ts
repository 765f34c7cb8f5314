/**
 * The contract of `execution.ts` as remote calls: over RPC, or as lines over a stream.
 *
 * Owns: the three interfaces. The orchestrator calls `execute` of a binding and passes a port. The execution calls
 * `connect` of the port and passes an object that receives updates. Callers see promises; implementations may be
 * synchronous.
 *
 * Invariants
 * - P1 `connect` is called once, before the first report.
 * - P2 `execute` lasts until the orchestrator calls `release`.
 */
import type { ErrorValue } from "./errors.ts";
import type {
  AbortReason,
  ExecutionReport,
  ExecutionStart,
  ExecutionUpdate,
  ReportAnswer,
  StepInProgress,
} from "./execution.ts";
import type { OperationId } from "./ids.ts";
import type { JournalEntry } from "./journal.ts";
import type { WorkflowsAnswer } from "./turns.ts";

/** A step handler, as the orchestrator sees it. */
export interface RpcBinding {
  execute(start: ExecutionStart, port: RpcPort): Promise<unknown>;
  workflows(): Promise<WorkflowsAnswer>;
}

/** The orchestrator, as the execution sees it. */
export interface RpcPort {
  connect(live: RpcLive): void | Promise<void>;
  report(report: ExecutionReport): ReportAnswer | Promise<ReportAnswer>;
  /** Returns the page of the journal after an entry. Only called if the start has `more`. */
  readPage?(after: number): readonly JournalEntry[] | Promise<readonly JournalEntry[]>;
  /** Reports the bodies that execute now, repeatedly while they execute. */
  progress(steps: readonly StepInProgress[]): void | Promise<void>;
  /**
   * Does the same with the changes since the previous call: a list of thousands of bodies would be expensive. Absent: the
   * orchestrator is older, and gets the whole list.
   */
  bodiesChanged?(changes: BodiesChanged): void | Promise<void>;
  lost(error: ErrorValue): void | Promise<void>;
}

/** How the list of bodies that execute has changed. */
export interface BodiesChanged {
  /** Those that began, or have new progress. */
  readonly began: readonly StepInProgress[];
  readonly ended: readonly OperationId[];
}

/** The execution, as the orchestrator sees it. */
export interface RpcLive {
  readonly update: (update: ExecutionUpdate) => Promise<unknown>;
  readonly abort: (reason: AbortReason) => Promise<unknown>;
  /** Ends the call of `execute`. */
  readonly release: () => Promise<unknown>;
}
