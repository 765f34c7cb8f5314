/**
 * One execution over a port of asynchronous calls: RPC, or lines over a stream.
 *
 * Owns: the order of the calls (P1). The call lasts until the orchestrator releases the execution (P2).
 */
import { type ExecutionStart, LIMITS, type RpcPort } from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import { webPlatform } from "../replay/platform.ts";

/** Interval between two lists of executing steps to the orchestrator, ms. */
const PROGRESS_MS = 300;

/** Executes a workflow. Resolves when the orchestrator has released the execution. */
export async function executeOver(workflow: Workflow, start: ExecutionStart, port: RpcPort): Promise<void> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let connected: void | Promise<void>;
  const live = workflow.execute(start, {
    remote: true,
    report: async (report) => {
      await connected;
      return port.report(report);
    },
    lost: (error) => void Promise.resolve(port.lost(error)).then(release, release),
  });
  connected = port.connect({
    update: async (update) => live.update(update),
    abort: async (reason) => live.abort(reason),
    release: async () => release(),
  });
  await connected;
  let cancel: (() => void) | undefined;
  const reportProgress = (): void => {
    cancel = webPlatform.setTimer(PROGRESS_MS, () => {
      Promise.resolve(port.progress(live.stepsInProgress?.() ?? [])).then(reportProgress, () => {});
    });
  };
  reportProgress();
  await released;
  cancel?.();
  // workerd may stop the work of a call when the call returns: first wait up to siblingGraceMs for aborted code.
  const graceEnded = Promise.withResolvers<void>();
  const cancelGrace = webPlatform.setTimer(LIMITS.siblingGraceMs, graceEnded.resolve);
  await Promise.race([live.whenIdle?.(), graceEnded.promise]);
  cancelGrace();
}
