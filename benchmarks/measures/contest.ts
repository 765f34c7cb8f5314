/**
 * The requests that all measures send to the platform: runs of Holdfast, of the floor and of the peer.
 *
 * Owns: the requests, and the rule that a run with an unexpected status gives no sample.
 */
import type { BenchPlatform } from "../platform.ts";
import { timed } from "../rounds.ts";

export type Pipe = "inline" | "rpc" | "fetch" | "http";

export const PIPES: readonly Pipe[] = ["inline", "rpc", "fetch", "http"];

/** The input of a measure: the platform, whether to take few samples, and the progress line. */
export interface Bench {
  readonly platform: BenchPlatform;
  readonly quick: boolean;
  readonly progress: (text: string) => void;
}

/** Triggers a run. Resolves with the time until its end is written, ms. */
export async function runToEnd(
  platform: BenchPlatform,
  id: string,
  workflowId: string,
  input: unknown,
): Promise<number> {
  const json = { runId: id, workflowId, input };
  return timed(async () => expectStatus("completed", await platform.ask(`/bench/run?id=${id}`, { json })));
}

/** Triggers a run, and resolves when it waits. */
export async function runToWait(platform: BenchPlatform, id: string, steps: number): Promise<void> {
  const json = { runId: id, workflowId: "waits", input: steps };
  expectStatus("waiting", await platform.ask("/api/runs", { json, wait: 50 }));
}

/** Delivers the signal for which the run waits. Resolves with the time until its end is written, ms. */
export async function wake(platform: BenchPlatform, id: string): Promise<number> {
  return timed(async () =>
    expectStatus("completed", await platform.ask(`/bench/wake?id=${id}`, { json: { name: "go" } })),
  );
}

/** Creates an instance of the peer. Resolves with the time until it is complete, ms. */
export async function peerToEnd(platform: BenchPlatform, id: string, input: object): Promise<number> {
  return timed(async () =>
    expectStatus("complete", await platform.ask(`/bench/peer/create?id=${id}`, { json: input })),
  );
}

export async function peerToWait(platform: BenchPlatform, id: string): Promise<void> {
  expectStatus("waits", await platform.ask(`/bench/peer/create?id=${id}`, { json: { kind: "waits", n: 1 } }));
}

export async function wakePeer(platform: BenchPlatform, id: string): Promise<number> {
  return timed(async () => expectStatus("complete", await platform.ask(`/bench/peer/wake?id=${id}`)));
}

/** Times plain writes and round trips, ms. `turns`: an event-loop turn after each write. `timers`: concurrent writes after 50 ms each. */
export async function floorOf(platform: BenchPlatform, pipe: Pipe | "turns" | "timers", n: number): Promise<number> {
  return timed(() => platform.ask("/bench/floor", { json: { pipe, n } }));
}

/** Calls `act` for 0 to `total` − 1, at most `limit` concurrently. */
export async function inFlight(total: number, limit: number, act: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < total; i = next++) await act(i);
  };
  await Promise.all(Array.from({ length: limit }, work));
}

function expectStatus(wanted: string, answer: unknown): void {
  const { status } = answer as { readonly status?: unknown };
  if (status !== wanted) throw new Error(`ended as ${String(status)} instead of ${wanted}`);
}
