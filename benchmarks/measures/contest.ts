/**
 * What all measures do with the platform: runs of Holdfast, of the floor and of the peer.
 *
 * Owns: the requests, and that whatever did not end well is no sample.
 */
import type { BenchPlatform } from "../platform.ts";
import { timed } from "../rounds.ts";

export type Pipe = "inline" | "rpc" | "fetch" | "http";

export const PIPES: readonly Pipe[] = ["inline", "rpc", "fetch", "http"];

/** What a measure gets: where to measure, how thoroughly, and whom to tell. */
export interface Bench {
  readonly platform: BenchPlatform;
  readonly quick: boolean;
  readonly progress: (text: string) => void;
}

/** Triggers a run; resolves with the time until its end was written, ms. */
export async function runToEnd(
  platform: BenchPlatform,
  id: string,
  workflowId: string,
  input: unknown,
): Promise<number> {
  const json = { runId: id, workflowId, input };
  return timed(async () => expectStatus("completed", await platform.ask(`/bench/run?id=${id}`, { json })));
}

/** Triggers a run that comes to wait, and resolves when it does. */
export async function runToWait(platform: BenchPlatform, id: string, steps: number): Promise<void> {
  const json = { runId: id, workflowId: "waits", input: steps };
  expectStatus("waiting", await platform.ask("/api/runs", { json, wait: 50 }));
}

/** Delivers the signal that the run waits for; resolves with the time until its end was written, ms. */
export async function wake(platform: BenchPlatform, id: string): Promise<number> {
  return timed(async () =>
    expectStatus("completed", await platform.ask(`/bench/wake?id=${id}`, { json: { name: "go" } })),
  );
}

/** Creates an instance of the peer; resolves with the time until it is complete, ms. */
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

/** Bare writes and round trips, ms. `turns`: a turn of the event loop after each write; `timers`: each write after 50 ms, all at once. */
export async function floorOf(platform: BenchPlatform, pipe: Pipe | "turns" | "timers", n: number): Promise<number> {
  return timed(() => platform.ask("/bench/floor", { json: { pipe, n } }));
}

/** Does all of it, so many at one time. */
export async function inFlight(total: number, atOnce: number, act: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < total; i = next++) await act(i);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function expectStatus(wanted: string, answer: unknown): void {
  const { status } = answer as { readonly status?: unknown };
  if (status !== wanted) throw new Error(`ended as ${String(status)} instead of ${wanted}`);
}
