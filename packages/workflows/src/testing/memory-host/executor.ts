/**
 * The simulated process that executes a run's code.
 *
 * Owns: the pipe to the process, its death and its silence. Also owns zombies: processes that still report after their
 * orchestrator has abandoned them.
 */
import type { RunHost } from "@holdfast/orchestrator";
import {
  type ExecutionPort,
  type ExecutionReport,
  type ExecutionStart,
  type LiveExecution,
  type ReportAnswer,
  errorValue,
  isOutcome,
} from "@holdfast/protocol";
import type { Workflow } from "../../authoring/workflow.ts";
import { type Platform, webPlatform } from "../../replay/platform.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import { DETECTED_MS, type Faults, type StartFault, lossOf } from "./faults.ts";
import type { MemoryStore } from "./memory-store.ts";
import { plainCopy } from "./plain-copy.ts";
import type { RemotePipe } from "./remote-pipe.ts";
import type { Tampering } from "./tampering.ts";

export const REJECTED: ReportAnswer = { accepted: false, reason: "superseded" };

/** The parts of the run that the executor uses. */
export interface ExecutorHost {
  readonly runId: string;
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly faults: Faults | undefined;
  readonly pipe: RemotePipe | undefined;
  readonly platform: () => Platform;
  /** Returns the current orchestrator. A crash replaces it. */
  readonly orchestrator: () => RunHost;
  readonly find: (start: ExecutionStart) => Workflow | undefined;
  /** The version of the protocol in the start messages, if it is not the orchestrator's. */
  readonly protocol: number | undefined;
  readonly tampering: Tampering;
  readonly reportOfZombie: (report: ExecutionReport) => ReportAnswer;
  /** Called when a message crosses the pipe. */
  readonly moved: () => void;
}

/** How an execution reports. */
interface Reports {
  readonly remote: boolean;
  readonly report: (report: ExecutionReport) => ReportAnswer | PromiseLike<ReportAnswer>;
}

/** One execution's end of the pipe. `dead`: its reports are lost. */
interface Connection {
  dead: boolean;
}

export class Executor {
  /** The start messages of all executions, in order. */
  readonly starts: ExecutionStart[] = [];
  readonly #host: ExecutorHost;
  #connections: Connection[] = [];

  constructor(host: ExecutorHost) {
    this.#host = host;
  }

  start(start: ExecutionStart, port: ExecutionPort): LiveExecution {
    const { find, moved, faults, pipe } = this.#host;
    this.starts.push(start);
    moved();
    const workflow = find(start);
    if (workflow === undefined) {
      queueMicrotask(() => port.lost(errorValue("WORKFLOW_NOT_FOUND", `no workflow ${start.workflowId}`)));
      return { update: () => {}, abort: () => {} };
    }
    const connection: Connection = { dead: false };
    this.#connections.push(connection);
    const remote = faults?.remote?.() ?? false;
    if (remote && pipe !== undefined) return this.#connect(pipe, start, port, connection);
    const report = this.#reporter(connection, port, remote, faults?.start?.());
    const begin = (): LiveExecution => this.#begin(workflow, start, port, { remote, report });
    if (!remote) return begin();
    const begun: { live?: LiveExecution } = {};
    void this.#leave(() => {
      begun.live = begin();
    });
    return this.#remotely(begun, connection);
  }

  #connect(pipe: RemotePipe, start: ExecutionStart, port: ExecutionPort, connection: Connection): LiveExecution {
    const { runId, platform, moved, orchestrator, tampering } = this.#host;
    const startedBy = orchestrator();
    const isAlive = (): boolean => !connection.dead && startedBy === orchestrator();
    const own: ExecutionPort = {
      remote: true,
      report: this.#reporter(connection, port, true, undefined),
      lost: (error) => isAlive() && port.lost(error),
      progressed: () => isAlive() && port.progressed?.(),
      readPage: (after) => plainCopy(port.readPage?.(after) ?? []),
    };
    const leave = async <T>(send: () => Promise<T>): Promise<T> => {
      await this.#leave(() => undefined);
      return connection.dead ? new Promise<T>(() => {}) : send();
    };
    const copy = plainCopy(start);
    return pipe.connect(tampering.start?.(copy) ?? copy, own, { runId, platform, leave, moved });
  }

  #begin(workflow: Workflow, start: ExecutionStart, port: ExecutionPort, { remote, report }: Reports): LiveExecution {
    const { platform, protocol, tampering, orchestrator } = this.#host;
    const startedBy = orchestrator();
    // The start message is a copy, as on every pipe except the inline one.
    const copy = { ...plainCopy(start), protocol: protocol ?? start.protocol };
    return workflow.executeOn(platform(), tampering.start?.(copy) ?? copy, {
      remote,
      report: (given) => (remote ? this.#onPipe(() => this.#answer(report(given))) : report(given)),
      lost: (error) => startedBy === orchestrator() && port.lost(error),
      readPage: (after) => this.#readPage(port, after, remote),
    });
  }

  #answer(answer: ReportAnswer | PromiseLike<ReportAnswer>): ReportAnswer | PromiseLike<ReportAnswer> {
    return this.#leave(() => answer);
  }

  /** On a pipe a page takes time, if it begins with an outcome that came late: pages of a few entries contain no turn. */
  #readPage(port: ExecutionPort, after: number, remote: boolean): ReturnType<NonNullable<ExecutionPort["readPage"]>> {
    const read = plainCopy(port.readPage?.(after) ?? []);
    if ("then" in read) return read;
    const page = this.#host.tampering.page?.(read) ?? read;
    if (!remote || page[0]?.quiet !== true || !isOutcome(page[0])) return page;
    return this.#onPipe(() => page);
  }

  /** Ends the connections of an orchestrator that lost its memory. Its executions die, or become zombies. */
  disconnect(zombies: boolean): void {
    if (!zombies) for (const connection of this.#connections) connection.dead = true;
    this.#connections = [];
  }

  #reporter(
    connection: Connection,
    port: ExecutionPort,
    remote: boolean,
    fault: StartFault | undefined,
  ): (report: ExecutionReport) => ReportAnswer | PromiseLike<ReportAnswer> {
    const { orchestrator, faults, clock, reportOfZombie, tampering } = this.#host;
    const startedBy = orchestrator();
    let reports = 0;
    return (report) => {
      if (connection.dead) return REJECTED;
      reports += 1;
      if (fault !== undefined && reports > fault.afterReports) {
        connection.dead = true;
        faults?.silent?.(this.#host);
        const isNotified = (): boolean => startedBy === orchestrator() && tampering.hidesLosses !== true;
        const { detectedAfterMs, loss } = fault;
        const isDetected = detectedAfterMs !== "never" || !remote;
        const afterMs = detectedAfterMs === "never" ? DETECTED_MS : detectedAfterMs;
        if (isDetected) clock.setTimer(afterMs, () => isNotified() && port.lost(lossOf(loss)));
        return remote ? new Promise(() => {}) : REJECTED;
      }
      // A zombie still reports, to the current orchestrator of the run.
      return startedBy === orchestrator() ? port.report(tampering.report?.(report) ?? report) : reportOfZombie(report);
    };
  }

  #remotely(begun: { readonly live?: LiveExecution }, connection: Connection): LiveExecution {
    const send = (act: (live: LiveExecution | undefined) => void): void =>
      void this.#leave(() => this.#onPipe(() => act(begun.live)));
    return {
      ping: (answered) => {
        const lives = !connection.dead || this.#host.tampering.hidesLosses === true;
        void this.#onPipe(() => lives && answered());
      },
      update: (update) => send((live) => live?.update(update)),
      abort: (reason) => send((live) => live?.abort(reason)),
      stepsInProgress: () => begun.live?.stepsInProgress?.() ?? [],
    };
  }

  /** Lets something leave the orchestrator when its commits are durable; never, if its process dies before (S4). */
  #leave<T>(act: () => T | PromiseLike<T>): T | PromiseLike<T> {
    const { store } = this.#host;
    if (store.losable === 0) return act();
    return store.durable().then((durable) => (durable ? act() : new Promise(() => {})));
  }

  /** Sends a message over the pipe and returns the answer. Each direction takes a turn of the event loop. */
  async #onPipe<T>(act: () => T | PromiseLike<T>): Promise<T> {
    const { moved } = this.#host;
    moved();
    await webPlatform.turn();
    const answer = await act();
    moved();
    await webPlatform.turn();
    return answer;
  }
}
