/**
 * Replays a run from its journal without executing or storing anything, to check that code still requests the journaled
 * operations (REP5).
 *
 * Owns: the suppression of effects. The first report is rejected, which stops the execution. Bodies that never end
 * replace the step bodies. Code outside of steps does run.
 */
import {
  type ErrorValue,
  type ExecutionEvent,
  type ExecutionPort,
  type ExecutionStart,
  type LiveExecution,
  endsRun,
} from "@holdfast/protocol";
import { type Platform, webPlatform } from "./platform.ts";
import { guardRun } from "./unhandled-rejections.ts";

/** The part of a workflow that a replay uses. */
export interface Replayable {
  readonly executeOn: (platform: Platform, start: ExecutionStart, port: ExecutionPort) => LiveExecution;
}

export type DryReplayVerdict =
  /** The code does not request the journaled operations. */
  | { readonly type: "diverged"; readonly error: ErrorValue }
  /** The code cannot be replayed, for example because it uses another version of the protocol. */
  | { readonly type: "failed"; readonly error: ErrorValue }
  /** The code requests all journaled operations, and then ends. */
  | { readonly type: "ends"; readonly event: ExecutionEvent }
  /** The code requests all journaled operations, and then waits or requests more. */
  | { readonly type: "continues" };

export interface DryReplay {
  /** The verdict. It is final when the execution has reported or is idle; before that it is `continues`. */
  readonly verdict: () => DryReplayVerdict;
  readonly reported: () => boolean;
  readonly stop: () => void;
}

/** The default time for which code may await something that is not an operation, ms. */
const PATIENCE_MS = 1_000;

/** The execution is idle when it uses none of this many consecutive turns of the event loop. */
const IDLE_TURNS = 3;

/** Starts a replay on the caller's platform, which must replace all bodies. */
export function startDryReplay(workflow: Replayable, start: ExecutionStart, platform: Platform): DryReplay {
  let events: readonly ExecutionEvent[] = [];
  let failure: ErrorValue | undefined;
  const { more: _more, ...whole } = start;
  const live = workflow.executeOn(platform, structuredClone({ ...whole, paused: false }), {
    report: (report) => {
      events = report.events;
      return { accepted: false, reason: "superseded" };
    },
    lost: (error) => {
      failure = error;
    },
  });
  return {
    verdict: () => (failure === undefined ? verdictOf(events) : { type: "failed", error: failure }),
    reported: () => events.length > 0 || failure !== undefined,
    stop: () => live.abort({ type: "superseded" }),
  };
}

function verdictOf(events: readonly ExecutionEvent[]): DryReplayVerdict {
  const last = events.at(-1);
  if (last?.type === "run.diverged") return { type: "diverged", error: last.error };
  return last !== undefined && endsRun(last) ? { type: "ends", event: last } : { type: "continues" };
}

/**
 * Replays `start.journal`, which is the whole journal. Resolves with the first divergence, or with how the code continues after the journal.
 * @param patienceMs The time for which code may await something that is not an operation, ms of real time.
 */
export async function dryReplay(
  workflow: Replayable,
  start: ExecutionStart,
  patienceMs: number = PATIENCE_MS,
): Promise<DryReplayVerdict> {
  let turns = 0;
  const timers = new Set<() => void>();
  const replay = startDryReplay(workflow, start, {
    now: () => start.now,
    turn: () => {
      turns += 1;
      return webPlatform.turn();
    },
    setTimer(ms, fn) {
      const cancel = webPlatform.setTimer(Math.min(ms, patienceMs), () => {
        timers.delete(cancel);
        fn();
      });
      timers.add(cancel);
      return () => {
        timers.delete(cancel);
        cancel();
      };
    },
    randomId: () => "0".repeat(32),
    log: () => {},
    guardRejections: guardRun,
    replaceBody: () => () => new Promise(() => {}),
  });
  for (let idle = 0; idle < IDLE_TURNS && !replay.reported();) {
    const before = turns;
    await webPlatform.turn();
    idle = turns === before && timers.size === 0 ? idle + 1 : 0;
  }
  replay.stop();
  for (const cancel of timers) cancel();
  return replay.verdict();
}
