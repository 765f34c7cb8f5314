/**
 * A pipe to executions elsewhere, in place of the one in memory: for simulations of a real pipe.
 *
 * Owns: the types, and how executions read long journals.
 */
import type { ExecutionPort, ExecutionStart, LiveExecution } from "@holdfast/protocol";
import type { Platform } from "../../replay/platform.ts";

export interface RemotePipe {
  /** Whether an execution can read further pages of its journal. A page takes time. */
  readonly readsPages: boolean;
  /** Starts an execution. `port` is that of a process: it answers at once, and never after the death of the process. */
  connect(start: ExecutionStart, port: ExecutionPort, from: OrchestratorProcess): LiveExecution;
}

/** The process that sends. */
export interface OrchestratorProcess {
  readonly runId: string;
  /** A platform for the code of the run. */
  readonly platform: () => Platform;
  /** Lets a message leave when the commits before it are durable; never after the death of the process (S4). */
  readonly leave: <T>(send: () => Promise<T>) => Promise<T>;
  /** Called when a message crosses the pipe. */
  readonly moved: () => void;
}

/** How executions read the journal, as a dispatcher says it. */
export function readsPages({
  pageSize,
  pipe,
}: {
  readonly pageSize?: object | undefined;
  readonly pipe?: RemotePipe | undefined;
}): boolean | "later" {
  if (pageSize === undefined) return false;
  return pipe === undefined || (pipe.readsPages && "later");
}
