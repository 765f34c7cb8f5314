/**
 * The contract of `execution.ts` as remote calls: over RPC, or as lines over a stream.
 *
 * Owns: the two interfaces. The orchestrator calls `execute` of a binding and passes a port. The execution calls the
 * orchestrator through the port, and asks it for news. So everything that crosses RPC is one function: each function is an
 * object of its own on both sides, and costs about as much as a call.
 *
 * Invariants
 * - P1 The execution asks for news from its start, and again after each.
 * - P2 `execute` lasts until the report that ends the execution is answered, or until the news `release`.
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
  execute(start: ExecutionStart, call: RpcCall): Promise<unknown>;
  workflows(): Promise<WorkflowsAnswer>;
}

/** The orchestrator, as the execution sees it. */
export interface RpcPort {
  report(report: ExecutionReport): Promise<ReportAnswer>;
  /** Resolves with what the orchestrator has to say besides its answers. */
  next(): Promise<RpcNews>;
  /** Returns the page of the journal after an entry. Only called if the start has `more`. */
  readPage(after: number): Promise<readonly JournalEntry[]>;
  /** Reports the changes of the list of executing bodies, repeatedly. */
  bodies(changes: BodiesChanged): Promise<void>;
  lost(error: ErrorValue): Promise<void>;
}

/** A port as one function, which gets the name of the method. */
export type RpcCall = <Name extends keyof RpcPort>(
  name: Name,
  ...given: Parameters<RpcPort[Name]>
) => ReturnType<RpcPort[Name]>;

export type RpcNews =
  | { readonly type: "update"; readonly update: ExecutionUpdate }
  | { readonly type: "abort"; readonly reason: AbortReason }
  /** Nobody needs the execution any longer. */
  | { readonly type: "release" };

/** How the list of bodies that execute has changed. */
export interface BodiesChanged {
  /** Those that began, or have new progress. */
  readonly began: readonly StepInProgress[];
  readonly ended: readonly OperationId[];
}

export function portOf(call: RpcCall): RpcPort {
  return {
    report: (report) => call("report", report),
    next: () => call("next"),
    readPage: (after) => call("readPage", after),
    bodies: (changes) => call("bodies", changes),
    lost: (error) => call("lost", error),
  };
}
