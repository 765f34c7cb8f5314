/**
 * The processes that simulate seeds, one per core.
 *
 * Owns: their start and end, and the distribution of seeds.
 */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import type { BugName } from "./bugs.ts";
import type { Finding } from "./oracles/finding.ts";

/** The number of seeds per request to a process. */
const BATCH_SEEDS = 250;

/** Programs await promises late on purpose. */
const EXEC_ARGV = [...process.execArgv, "--disable-warning=PromiseRejectionHandledWarning"];

/** The answer of a process for one batch of seeds. */
export interface SeedBatch {
  readonly failed: readonly { readonly seed: number; readonly findings: readonly Finding[] }[];
  readonly counts: readonly (readonly [string, number])[];
  /** The longest time from the end of a fault to the next progress, ms, by kind of fault. */
  readonly longest: readonly (readonly [string, number])[];
}

export interface SeedRange {
  readonly from: number;
  /** The number of seeds; may be `Infinity`. */
  readonly seeds: number;
  readonly bug: BugName | undefined;
  /** Called with each batch. `count`: its number of seeds. Returns whether to continue. */
  readonly batch: (batch: SeedBatch, count: number) => boolean;
}

export class SeedPool {
  readonly #workers: readonly ChildProcess[];

  constructor() {
    const worker = new URL("seeds-process.ts", import.meta.url);
    this.#workers = Array.from({ length: availableParallelism() }, () => fork(worker, { execArgv: EXEC_ARGV }));
  }

  async run({ from, seeds, bug, batch }: SeedRange): Promise<void> {
    let next = from;
    let continues = true;
    const work = async (worker: ChildProcess): Promise<void> => {
      while (continues && next < from + seeds) {
        const count = Math.min(BATCH_SEEDS, from + seeds - next);
        const result = await ask(worker, { from: next, count: (next += count) && count, bug });
        continues = batch(result, count) && continues;
      }
    };
    await Promise.all(this.#workers.map(work));
  }

  end(): void {
    for (const worker of this.#workers) worker.disconnect();
  }
}

/** Sends one request and waits for its answer. Rejects if the process ends. */
function ask(worker: ChildProcess, question: object): Promise<SeedBatch> {
  return new Promise((resolve, reject) => {
    const died = (code: number | null): void => reject(new Error(`a process of the simulator ended with ${code}`));
    worker.once("exit", died);
    worker.once("message", (answer) => {
      worker.off("exit", died);
      resolve(answer as SeedBatch);
    });
    worker.send(question);
  });
}
