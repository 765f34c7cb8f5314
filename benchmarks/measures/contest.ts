/**
 * The requests that measures send to the platform: runs of Holdfast and of the floor.
 *
 * Owns: the requests, and the rule that a run with an unexpected status gives no sample.
 */
import type { BenchPlatform } from "../platform.ts";
import { timed } from "../rounds.ts";
import type { CloudflareWorkflows } from "../systems/cloudflare-workflows.ts";
import type { System } from "../systems/system.ts";
import type { FloorWork } from "../workers/floor-work.ts";

/** To the Node process: `http` sends each turn as a request, `socket` as frames of a connection, which is the default. */
export type Pipe = "inline" | "rpc" | "fetch" | "http" | "socket";

/** Each has a floor. That of `socket` is a WebSocket with a frame each way for each message. */
export const PIPES: readonly Pipe[] = ["inline", "rpc", "fetch", "http", "socket"];

/** The input of a measure. */
export interface Bench {
  readonly platform: BenchPlatform;
  /** Holdfast over each pipe, and the peers that are there. */
  readonly systems: readonly System[];
  readonly cloudflare: CloudflareWorkflows;
  /** Whether to take few samples. */
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

/** Resolves with the time that the floor takes, ms. `id`: an object that exists, or will be used again. */
export async function floorOf(
  platform: BenchPlatform,
  work: FloorWork,
  id: string = crypto.randomUUID(),
): Promise<number> {
  return timed(() => platform.ask(`/bench/floor?id=${id}`, { json: work }));
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
