/**
 * Replays a run from its journal without executing or storing anything: does this code still ask for what the journal
 * holds (REP5)?
 *
 * Owns: keeping what the code asks for from happening. The first report is refused, which stops the execution, and step
 * bodies are replaced by ones that never end. Code outside of steps does run.
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

/** What `workflow()` returns, as far as a replay needs it. */
export interface Replayable {
  readonly executeOn: (platform: Platform, start: ExecutionStart, port: ExecutionPort) => LiveExecution;
}

export type DryReplayVerdict =
  /** The code does not ask for what the journal holds. */
  | { readonly type: "diverged"; readonly error: ErrorValue }
  /** The code cannot be replayed at all: it speaks another version of the protocol, say. */
  | { readonly type: "failed"; readonly error: ErrorValue }
  /** The code asks for all that the journal holds, and ends after it. */
  | { readonly type: "ends"; readonly event: ExecutionEvent }
  /** The code asks for all that the journal holds, and then for more, or it waits. */
  | { readonly type: "continues" };

export interface DryReplay {
  /** Known once the execution has reported something or has nothing left to do: before that it `continues`. */
  readonly verdict: () => DryReplayVerdict;
  readonly reported: () => boolean;
  readonly stop: () => void;
}

/** How long code may await something that is not an operation, ms, unless the caller says otherwise. */
const PATIENCE_MS = 1_000;

/** Turns of the event loop without any of the execution's after which it has nothing left to do. */
const IDLE_TURNS = 3;

/** Begins a replay on the caller's platform, whose bodies the caller has replaced. */
export function beginDryReplay(workflow: Replayable, start: ExecutionStart, platform: Platform): DryReplay {
  let events: readonly ExecutionEvent[] = [];
  let failure: ErrorValue | undefined;
  const live = workflow.executeOn(platform, structuredClone({ ...start, paused: false }), {
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
 * Replays `start.journal` and gives the first divergence, or how the code goes on after it.
 * @param patienceMs How long code may await something that is not an operation, ms of real time.
 */
export async function dryReplay(
  workflow: Replayable,
  start: ExecutionStart,
  patienceMs: number = PATIENCE_MS,
): Promise<DryReplayVerdict> {
  let turns = 0;
  const timers = new Set<() => void>();
  const replay = beginDryReplay(workflow, start, {
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
