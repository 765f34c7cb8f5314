/**
 * One execution over a port of asynchronous calls: RPC, or lines over a stream.
 *
 * Owns: the order of the calls (P1), and the end of the call (P2).
 */
import {
  type ErrorValue,
  type ExecutionPort,
  type ExecutionStart,
  LIMITS,
  type LiveExecution,
  type RpcPort,
  type WorkflowIndex,
  endsRun,
  errorValue,
  toErrorValue,
} from "@holdfast/protocol";
import { type Problem, describeProblem, toExecution } from "@holdfast/protocol/messages";
import type { Workflow } from "../authoring/workflow.ts";
import { webPlatform } from "../replay/platform.ts";
import { guardedPlatform } from "../replay/unhandled-rejections.ts";
import { Announcer } from "./announcer.ts";
import { BodyList } from "./body-list.ts";
import { completed, versionToKeep, withReported } from "./reported-values.ts";
import { completeStart } from "./older-start.ts";
import { notServed, otherVersion } from "./served.ts";

/** The error of an execution that received an invalid message: the orchestrator pauses the run with it (SEC10). */
export function invalidMessage(problem: string): ErrorValue {
  return errorValue(
    "PROTOCOL_MISMATCH",
    `The step handler received an invalid message of the orchestrator: ${problem}. Deploy versions of both sides that fit, then retry the run.`,
  );
}

/** Interval between two messages about executing bodies to the orchestrator, ms. They are signs of life (DUR11). */
const PROGRESS_MS = 300;

/** Executes the workflow of a start message. Resolves when the orchestrator does not need the execution any longer (P2). */
export async function executeOver(index: WorkflowIndex<Workflow>, start: ExecutionStart, port: RpcPort): Promise<void> {
  const refusal = refusalOf(start);
  if (refusal !== undefined) return port.lost(refusal);
  const workflow = index.find(start.workflowId, start.workflowVersion);
  if (workflow === undefined) return port.lost(errorValue("WORKFLOW_NOT_FOUND", notServed(start)));
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const lost = (error: ErrorValue): void => void port.lost(error).then(end, end);
  /** Returns whether a message is invalid. The execution ends then, and the orchestrator gets the reason. */
  const isInvalid = (name: string, found: Problem | undefined): boolean => {
    if (found === undefined) return false;
    live.abort({ type: "superseded" });
    lost(invalidMessage(describeProblem(name, found)));
    return true;
  };
  /** A call failed. If the orchestrator is still there, it must not wait for an execution that has stopped (DUR5). */
  const failed = (error: unknown): void =>
    lost(
      errorValue("EXECUTOR_CRASHED", `A message to the orchestrator could not be sent: ${toErrorValue(error).message}`),
    );
  const bodies = new BodyList();
  const sendBodies = (): Promise<void> => bodies.send(port, live.stepsInProgress?.() ?? []);
  const announcer = new Announcer(start, sendBodies);
  const live = workflow.executeOn(announcer.platform(guardedPlatform), completeStart(start), {
    ...checkedPort(port, { announcer, isInvalid, end, failed, version: versionToKeep(start, workflow) }),
    lost,
  });
  follow(live, port, isInvalid).then(
    (released) => released && end(),
    () => {
      // The orchestrator is gone.
      live.abort({ type: "superseded" });
      end();
    },
  );
  const stop = repeat(sendBodies);
  await over;
  stop();
  await settled(live);
}

type IsInvalid = (name: string, found: Problem | undefined) => boolean;

const SUPERSEDED = { accepted: false, reason: "superseded" } as const;

interface Exchange {
  readonly announcer: Announcer;
  readonly isInvalid: IsInvalid;
  /** Called when a report has ended the execution. */
  readonly end: () => void;
  readonly failed: (error: unknown) => void;
  /** The version that the run keeps. */
  readonly version: string | undefined;
}

/** The port of the execution. */
function checkedPort(
  port: RpcPort,
  { announcer, isInvalid, end, failed, version }: Exchange,
): Omit<ExecutionPort, "lost"> {
  const orFail = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error: unknown) => {
      failed(error);
      throw error;
    });
  return {
    remote: true,
    report: async (given) => {
      const report = completed(given, version);
      announcer.reported(report);
      const answer = await orFail(port.report(report));
      if (isInvalid("answer", toExecution.answer(answer, false))) return SUPERSEDED;
      if (!answer.accepted || endsRun(report.events.at(-1))) end();
      return withReported(report, answer);
    },
    readPage: async (after) => {
      const page = await orFail(port.readPage(after));
      return isInvalid("page", toExecution.pageAfter(after)(page, false)) ? [] : page;
    },
  };
}

/** Passes on the news of the orchestrator. Resolves with `false` if it is invalid. */
async function follow(live: LiveExecution, port: RpcPort, isInvalid: IsInvalid): Promise<boolean> {
  for (;;) {
    const news = await port.next();
    if (isInvalid("news", toExecution.news(news, false))) return false;
    if (news.type === "release") return true;
    if (news.type === "abort") live.abort(news.reason);
    else live.update(news.update);
  }
}

function refusalOf(start: ExecutionStart): ErrorValue | undefined {
  const problem = toExecution.start(start, false);
  return problem === undefined ? otherVersion(start) : invalidMessage(describeProblem("start", problem));
}

/** Sends the list of executing bodies until the returned function is called, or until the orchestrator is gone. */
function repeat(send: () => Promise<void>): () => void {
  let stopped = false;
  let cancel: (() => void) | undefined;
  const next = (): void => {
    if (stopped) return;
    cancel = webPlatform.setTimer(PROGRESS_MS, () => {
      send().then(next, () => {});
    });
  };
  next();
  return () => {
    stopped = true;
    cancel?.();
  };
}

/** workerd may stop the work of a call when the call returns: first wait up to siblingGraceMs for aborted code. */
async function settled(live: LiveExecution): Promise<void> {
  const graceEnded = Promise.withResolvers<void>();
  const cancelGrace = webPlatform.setTimer(LIMITS.siblingGraceMs, graceEnded.resolve);
  await Promise.race([live.whenIdle?.(), graceEnded.promise]);
  cancelGrace();
}
