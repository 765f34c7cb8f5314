/**
 * The contract of `execution.ts` as calls that cross a pipe: RPC, or lines over a stream.
 *
 * Owns: the three interfaces. The orchestrator calls `execute` of a binding and passes a port; the execution passes back
 * what it is spoken to through. A call over a pipe takes time; the side that answers it may do so at once.
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
import type { WorkflowsAnswer } from "./turns.ts";

/** A step handler, as the orchestrator sees it. */
export interface RpcBinding {
  execute(start: ExecutionStart, port: RpcPort): Promise<unknown>;
  workflows(): Promise<WorkflowsAnswer>;
}

/** How the execution speaks to the orchestrator. */
export interface RpcPort {
  connect(live: RpcLive): void | Promise<void>;
  report(report: ExecutionReport): ReportAnswer | Promise<ReportAnswer>;
  /** The bodies that execute right now, sent while that takes a while. */
  progress(steps: readonly StepInProgress[]): void | Promise<void>;
  lost(error: ErrorValue): void | Promise<void>;
}

/** How the orchestrator speaks to the execution. */
export interface RpcLive {
  readonly update: (update: ExecutionUpdate) => Promise<unknown>;
  readonly abort: (reason: AbortReason) => Promise<unknown>;
  /** Ends the call of `execute`. */
  readonly release: () => Promise<unknown>;
}
