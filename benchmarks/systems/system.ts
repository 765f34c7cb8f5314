/**
 * The systems that are compared: Holdfast over each pipe, and the peers.
 *
 * Owns: the interface that all measures use, and the work that each system executes in the same way.
 */
import { setTimeout as delay } from "node:timers/promises";
import { timed } from "../rounds.ts";

/** A run of `n` steps in a row. A step returns a small object, or a text of `chars` characters if `chars` is not 0. */
export interface Work {
  readonly n: number;
  readonly chars: number;
  /** Whether the run waits for a signal after its steps. */
  readonly waits: boolean;
}

export interface System {
  /** The name in tables: the pipe of Holdfast, or the peer. */
  readonly what: string;
  readonly who: "Holdfast" | "peer";
  /** Starts a run. Resolves when the caller has its result. */
  run(id: string, work: Work): Promise<void>;
  /** Starts a run that waits. Resolves when it waits. */
  park(id: string, work: Work): Promise<void>;
  /** Resolves when the caller has the result of the run. */
  result(id: string): Promise<void>;
  signal(id: string): Promise<void>;
  /** Kills the system and the process with the workflows, and starts both. Resolves when they serve. */
  readonly restart?: () => Promise<void>;
}

/** The time in which the request that waits for the result arrives, before the signal is sent, ms. */
const ATTACHED_MS = 5;

/** Sends the signal while a caller waits for the result. Resolves with the time from the signal to the result, ms. */
export async function wakeAttached(system: System, id: string): Promise<number> {
  const result = system.result(id);
  result.catch(() => {});
  await delay(ATTACHED_MS);
  return timed(() => Promise.all([system.signal(id), result]));
}

/** Sends the signal, and then reads the result: no request reaches the run before the signal. Resolves with the time, ms. */
export async function wakeUntouched(system: System, id: string): Promise<number> {
  return timed(async () => {
    await system.signal(id);
    await system.result(id);
  });
}

export function steps(n: number): Work {
  return { n, chars: 0, waits: false };
}

/** The length of the result of a turn of an agent, characters. */
const TURN_CHARS = 20_000;

/** A loop of an agent: each turn is a step, and the function keeps all results. */
export function turns(n: number): Work {
  return { n, chars: TURN_CHARS, waits: false };
}

export function waiting(work: Work): Work {
  return { ...work, waits: true };
}
