/**
 * The log of a run: structured lines. Each is written once (STR3).
 */
import type { Execution } from "../replay/execution.ts";
import type { Log } from "../step-context.ts";

/** Creates a log that drops lines during a replay. */
export function createLog(execution: Execution): Log {
  const { run, workflowId, epoch } = execution.start;
  const write =
    (level: string) =>
    (message: string, data?: unknown): void => {
      if (execution.replaying) return;
      execution.platform.log({ level, message, data, runId: run.id, tenantId: run.tenantId, workflowId, epoch });
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}
