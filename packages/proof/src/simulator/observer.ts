/**
 * What an interpreted workflow shows of its executions.
 *
 * Owns: the type. The interpreter calls it; `Observations` implements it.
 */
import type { Requested } from "./oracles/watcher.ts";

/** Observes one execution. */
export interface ExecutionObserver {
  /** Records a value that the function received. */
  readonly see: (seen: string) => void;
  readonly bodyStarts: (op: string) => void;
  /** A body with deaths starts. Returns whether the process dies in it. */
  readonly dies: (op: string, deaths: number) => boolean;
  /** The function requests an operation. `what`: the facts of the program that oracles compare with the journal. */
  readonly requests: (op: string, what?: Requested) => void;
}

/** Observes the executions of runs. */
export interface Observer {
  /** Starts to observe an execution. The observation ends when the execution is abandoned. */
  begin(runId: string, epoch: number): ExecutionObserver;
  /** Runs whose code was replaced by code that does not fit their journal. */
  readonly changed: ReadonlySet<string>;
  /** Programs handle the rejections of the promises that they leave unawaited. */
  readonly handlesRejections: boolean;
}
