/**
 * One execution over a port of asynchronous calls: RPC, or lines over a stream.
 *
 * Owns: the order of the calls (P1). The call lasts until the orchestrator releases the execution (P2).
 */
import {
  type ExecutionPort,
  type ExecutionStart,
  LIMITS,
  type LiveExecution,
  type RpcLive,
  type RpcPort,
  type WorkflowIndex,
  errorValue,
} from "@holdfast/protocol";
import {
  isAbortReason,
  isExecutionStart,
  isExecutionUpdate,
  isJournalPage,
  isReportAnswer,
} from "@holdfast/protocol/transport";
import type { Workflow } from "../authoring/workflow.ts";
import { webPlatform } from "../replay/platform.ts";
import { guardedPlatform } from "../replay/unhandled-rejections.ts";
import { BodyList } from "./body-list.ts";
import { notServed } from "./served.ts";

const INVALID = errorValue(
  "PROTOCOL_MISMATCH",
  "The step handler received an invalid message of the orchestrator. Deploy versions of both sides that fit, then retry the run.",
);

/** Interval between two messages about executing bodies to the orchestrator, ms. They are signs of life (DUR11). */
const PROGRESS_MS = 300;

/** Executes the workflow of a start message. Resolves when the orchestrator has released the execution. */
export async function executeOver(index: WorkflowIndex<Workflow>, start: ExecutionStart, port: RpcPort): Promise<void> {
  if (!isExecutionStart(start)) return port.lost(INVALID);
  const workflow = index.find(start.workflowId, start.workflowVersion);
  if (workflow === undefined) return port.lost(errorValue("WORKFLOW_NOT_FOUND", notServed(start)));
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  let connected: void | Promise<void>;
  const live = workflow.executeOn(guardedPlatform, start, {
    remote: true,
    report: async (report) => {
      await connected;
      const answer = await port.report(report);
      if (!isReportAnswer(answer)) throw new Error(INVALID.message);
      return answer;
    },
    ...pagesOf(port),
    lost: (error) => void Promise.resolve(port.lost(error)).then(release, release),
  });
  connected = port.connect(callable(live, release));
  await connected;
  const bodies = new BodyList();
  const sendBodies = async (): Promise<void> => {
    const executing = live.stepsInProgress?.() ?? [];
    if (port.bodiesChanged === undefined) await port.progress(executing);
    else await port.bodiesChanged(bodies.changesTo(executing));
  };
  let cancel: (() => void) | undefined;
  const reportProgress = (): void => {
    cancel = webPlatform.setTimer(PROGRESS_MS, () => {
      sendBodies().then(reportProgress, () => {});
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

/** The execution as the orchestrator calls it. */
function callable(live: LiveExecution, release: () => void): RpcLive {
  return {
    update: async (update) => {
      if (!isExecutionUpdate(update)) throw new Error(INVALID.message);
      live.update(update);
    },
    abort: async (reason) => {
      if (!isAbortReason(reason)) throw new Error(INVALID.message);
      live.abort(reason);
    },
    release: async () => release(),
  };
}

/** Absent if the port has none: then the execution refuses a start with a first page. */
function pagesOf(port: RpcPort): Pick<ExecutionPort, "readPage"> {
  if (port.readPage === undefined) return {};
  return {
    readPage: async (after) => {
      const page = await port.readPage?.(after);
      return isJournalPage(page) ? page : [];
    },
  };
}
