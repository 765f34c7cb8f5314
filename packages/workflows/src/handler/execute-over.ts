/**
 * One execution behind a port of asynchronous calls: RPC, or lines over a stream.
 *
 * Owns: the order of the calls (P1), and letting the call last until the orchestrator releases it (P2).
 */
import { type ExecutionStart, LIMITS, type RpcPort } from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import { webPlatform } from "../replay/platform.ts";

/** How often the orchestrator gets a list of what executes. */
const PROGRESS_MS = 300;

/** Executes, and resolves when the orchestrator lets go. */
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
  const tell = (): void => {
    cancel = webPlatform.setTimer(PROGRESS_MS, () => {
      Promise.resolve(port.progress(live.stepsInProgress?.() ?? [])).then(tell, () => {});
    });
  };
  tell();
  await released;
  cancel?.();
  // workerd may stop what runs on behalf of a call when the call returns: aborted code gets its time first.
  const over = Promise.withResolvers<void>();
  const giveUp = webPlatform.setTimer(LIMITS.siblingGraceMs, over.resolve);
  await Promise.race([live.atRest?.(), over.promise]);
  giveUp();
}
