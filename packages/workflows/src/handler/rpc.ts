/**
 * One execution behind a port of asynchronous calls: RPC, or lines over a stream.
 *
 * Owns: the two interfaces, and letting the call last until the orchestrator lets go of it.
 */
import {
  type AbortReason,
  type ErrorValue,
  type ExecutionReport,
  type ExecutionStart,
  type ExecutionUpdate,
  LIMITS,
  type ReportAnswer,
  type StepInProgress,
} from "@holdfast/protocol";
import type { Workflow } from "../authoring/workflow.ts";
import { webPlatform } from "../replay/platform.ts";

/** How often it is told what executes. */
const PROGRESS_MS = 300;

/** What the orchestrator passes to `execute`: functions that are called back over RPC. */
export interface RpcPort {
  report(report: ExecutionReport): Promise<ReportAnswer>;
  lost(error: ErrorValue): Promise<void>;
  /** What executes right now, when that takes a while. */
  progress(steps: readonly StepInProgress[]): Promise<void>;
  /** Called once, before the first report. */
  connect(live: RpcExecution): Promise<void>;
}

/** What the execution passes back to the orchestrator. */
export interface RpcExecution {
  update(update: ExecutionUpdate): Promise<void>;
  abort(reason: AbortReason): Promise<void>;
  /** Ends the call. */
  release(): Promise<void>;
}

/** Executes, and resolves when the orchestrator lets go. */
export async function executeOver(workflow: Workflow, start: ExecutionStart, port: RpcPort): Promise<void> {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let connected: Promise<void> | undefined;
  const live = workflow.execute(start, {
    remote: true,
    report: async (report) => {
      await connected;
      return port.report(report);
    },
    lost: (error) => void port.lost(error).then(release, release),
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
      port.progress(live.stepsInProgress?.() ?? []).then(tell, () => {});
    });
  };
  tell();
  await released;
  cancel?.();
  // What runs on behalf of a call may end with it: code that was told to stop gets its time to.
  const over = Promise.withResolvers<void>();
  const giveUp = webPlatform.setTimer(LIMITS.siblingGraceMs, over.resolve);
  await Promise.race([live.atRest?.(), over.promise]);
  giveUp();
}
