/** Waits until this process has nothing to do: no turn of the event loop and no work of WebCrypto is left. */
import { type MockInstance, vi } from "vitest";

/** Turns of the event loop without any work of WebCrypto. A message takes some turns from one side to the other. */
const IDLE_TURNS = 12;
const TURNS_MAX = 100_000;

export interface IdleProcess {
  /** @throws Error if the process is still busy after 100,000 turns of the event loop. */
  wait(): Promise<void>;
  [Symbol.dispose](): void;
}

/**
 * Counts what WebCrypto has in progress. It works in other threads, so a number of turns says nothing about it, and on a
 * busy machine it takes more of them.
 */
export function watchIdle(): IdleProcess {
  let inProgress = 0;
  const { subtle } = globalThis.crypto;
  const spies: MockInstance[] = [];
  for (const name of ["sign", "verify", "digest", "importKey"] as const) {
    const original = subtle[name] as (...args: unknown[]) => Promise<unknown>;
    const counted = async (...args: unknown[]): Promise<unknown> => {
      inProgress++;
      try {
        return await original.apply(subtle, args);
      } finally {
        inProgress--;
      }
    };
    spies.push(vi.spyOn(subtle, name).mockImplementation(counted as never));
  }
  return {
    async wait() {
      for (let turn = 0, idle = 0; idle < IDLE_TURNS; turn++) {
        if (turn === TURNS_MAX) throw new Error(`The process is still busy after ${TURNS_MAX} turns.`);
        await new Promise((resolve) => void setImmediate(resolve));
        idle = inProgress === 0 ? idle + 1 : 0;
      }
    },
    [Symbol.dispose]() {
      for (const spy of spies) spy.mockRestore();
    },
  };
}
