/**
 * `ctx.parallel`: bounded fan-out over plain promises.
 */
import { checkFields, invalid } from "@holdfast/protocol";
import type { ItemStarter } from "../replay/operations.ts";
import type { ParallelOptions } from "./types.ts";

/**
 * Runs `fn` for each item in order, at most `concurrency` concurrently. `starter` returns what calls `fn`; its argument is
 * whether some items start later.
 * @throws AggregateError with `settle`, if any item failed; its `failed` lists the indices of these items.
 */
export async function runParallel<T, R>(
  starter: (waits: boolean) => ItemStarter,
  items: Iterable<T>,
  fn: (item: T, index: number) => R | Promise<R>,
  options: ParallelOptions = {},
): Promise<Awaited<R>[]> {
  checkFields(options, ["concurrency", "settle"], "ctx.parallel");
  const { concurrency = Infinity, settle = false } = options;
  if (concurrency !== Infinity && (!Number.isInteger(concurrency) || concurrency < 1)) {
    throw invalid("ctx.parallel.concurrency", "must be a whole number of at least 1.");
  }
  if (!(Symbol.iterator in Object(items)) || typeof fn !== "function")
    throw invalid("ctx.parallel", "needs a list and a function.");
  const list = [...items];
  const results: Awaited<R>[] = [];
  const errors = new Map<number, unknown>();
  // All workers share one iterator: each takes the next item.
  const entries = list.entries();
  const start = starter(concurrency < list.length);
  let stopped = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) {
      if (stopped) return;
      const state: Parameters<ItemStarter>[0] = {};
      try {
        results[index] = await start(state, () => fn(item, index));
      } catch (error) {
        stopped = !settle;
        if (stopped) throw error;
        errors.set(index, error);
      } finally {
        state.over = true;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, list.length) }, work));
  if (errors.size === 0) return results;
  throw failuresOf(errors, list.length);
}

function failuresOf(errors: ReadonlyMap<number, unknown>, count: number): AggregateError {
  const failed = [...errors.keys()].toSorted((a, b) => a - b);
  const message = `${failed.length} of ${count} failed: no. ${failed.join(", ")} (counted from 0)`;
  return Object.assign(
    new AggregateError(
      failed.map((index) => errors.get(index)),
      message,
    ),
    { failed },
  );
}
