/**
 * One action on many runs.
 *
 * Owns: how the requests are sent: a hundred runs in one where the API can, otherwise one request a run, eight at a time.
 * Each run decides for itself: a refusal does not stop the others. Without an answer, or without the permission, the rest is
 * not tried.
 */
import { ApiError, type Client } from "@holdfast/workflows/client";
import { plainMessage } from "./send.ts";

export type BulkAction = "cancelRun" | "retryRun" | "pauseRun" | "unpauseRun" | "terminateRun" | "deleteRun";

interface Refusal {
  readonly id: string;
  readonly message: string;
}

export interface Progress {
  readonly done: number;
  readonly refused: readonly Refusal[];
  /** Why the rest is not tried. */
  readonly failure?: unknown;
}

interface BulkWork {
  readonly action: BulkAction;
  readonly ids: readonly string[];
  readonly reason: string | undefined;
  /** Whether the reader stopped it. What is in flight is finished. */
  readonly isStopped: () => boolean;
  readonly onProgress: (progress: Progress) => void;
}

/** How many runs one request of the API takes. */
export const BULK_MAX = 100;
const CONCURRENT = 8;

/** Resolves with the last progress when nothing is in flight any more. */
export async function actOnMany(client: Client, work: BulkWork): Promise<Progress> {
  const { action, ids } = work;
  const state = new State(work);
  const bulk = BULK_ACTIONS[action];
  const size = bulk === undefined ? 1 : BULK_MAX;
  const parts = Array.from({ length: Math.ceil(ids.length / size) }, (_, n) => ids.slice(n * size, (n + 1) * size));
  const one = (part: readonly string[]): Promise<void> =>
    bulk === undefined ? actOnOne(client, work, part[0] ?? "", state) : actOnPart(client, work, bulk, part, state);
  const worker = async (): Promise<void> => {
    for (let part = parts.shift(); part !== undefined && state.mayContinue; part = parts.shift()) await one(part);
  };
  await Promise.all(Array.from({ length: bulk === undefined ? CONCURRENT : 1 }, worker));
  return state.progress;
}

const BULK_ACTIONS: Readonly<Partial<Record<BulkAction, "cancel" | "retry">>> = {
  cancelRun: "cancel",
  retryRun: "retry",
};

class State {
  readonly #work: BulkWork;
  progress: Progress = { done: 0, refused: [] };

  constructor(work: BulkWork) {
    this.#work = work;
  }

  get mayContinue(): boolean {
    return this.progress.failure === undefined && !this.#work.isStopped();
  }

  add(done: number, refused: readonly Refusal[], failure?: unknown): void {
    const { progress } = this;
    this.progress = {
      done: progress.done + done,
      refused: refused.length === 0 ? progress.refused : [...progress.refused, ...refused],
      ...((progress.failure ?? failure) === undefined ? {} : { failure: progress.failure ?? failure }),
    };
    this.#work.onProgress(this.progress);
  }
}

async function actOnPart(
  client: Client,
  { reason }: BulkWork,
  action: "cancel" | "retry",
  ids: readonly string[],
  state: State,
): Promise<void> {
  try {
    const { done, refused } = await client.bulk({ action, reason, ids });
    state.add(
      done,
      refused.map(({ id, message }) => ({ id, message })),
    );
  } catch (error) {
    state.add(0, [], error);
  }
}

async function actOnOne(client: Client, { action, reason = "" }: BulkWork, id: string, state: State): Promise<void> {
  try {
    const run = client.run(id);
    if (action === "pauseRun") await run.pause({ reason: reason === "" ? undefined : reason });
    else if (action === "unpauseRun") await run.unpause();
    else if (action === "terminateRun") await run.terminate(reason);
    else await run.delete();
    state.add(1, []);
  } catch (error) {
    if (isOfRun(error)) state.add(0, [{ id, message: plainMessage(error) }]);
    else state.add(0, [], error);
  }
}

/** Whether the error is the refusal of one run, as another run may not answer. */
function isOfRun(error: unknown): error is ApiError {
  return (
    error instanceof ApiError &&
    error.status !== 401 &&
    error.status !== 403 &&
    error.status < 500 &&
    error.status !== 429
  );
}
