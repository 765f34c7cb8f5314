/**
 * Rounds: everybody once, then everybody again, so that whatever else the machine does hits all alike.
 *
 * Owns: the alternation, and the bounds in time. What fails or takes too long ends its measure with a message, never
 * the whole.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Row, type Who, summarize } from "./statistics.ts";

export interface Contestant {
  readonly what: string;
  readonly who: Who;
  readonly n?: number;
  /** Resolves with the sample. `round` is never the same twice. */
  readonly sample: (round: string) => Promise<number>;
}

export interface RoundsOptions {
  readonly name: string;
  readonly rounds: number;
  /** No round begins after this time. */
  readonly budgetMs: number;
  readonly progress: (text: string) => void;
}

/** One sample may take this long. */
const SAMPLE_MS_MAX = 60_000;

let runs = 0;

export async function playRounds(
  contestants: readonly Contestant[],
  { name, rounds, budgetMs, progress }: RoundsOptions,
): Promise<{ readonly rows: readonly Row[]; readonly failures: readonly string[] }> {
  const samples = contestants.map(() => [] as number[]);
  const failures: string[] = [];
  const broken = new Set<Contestant>();
  const end = performance.now() + budgetMs;
  let played = 0;
  for (; played < rounds && (played === 0 || performance.now() < end); played++) {
    for (const [place, contestant] of contestants.entries()) {
      if (broken.has(contestant)) continue;
      const { what, who, n } = contestant;
      const title = `${what}${n === undefined ? "" : ` × ${n}`}, ${who}`;
      progress(`${name}: round ${played + 1} of ${rounds}, ${title}`);
      try {
        runs += 1;
        samples[place]?.push(await bounded(contestant.sample(String(runs))));
      } catch (error) {
        broken.add(contestant);
        failures.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  if (played < rounds)
    failures.push(`${played} rounds instead of ${rounds}: the time limit of this measure was reached.`);
  const rows = contestants.flatMap(({ what, who, n }, place): readonly Row[] => {
    const taken = samples[place] ?? [];
    return taken.length === 0 ? [] : [{ what, who, ...(n === undefined ? {} : { n }), ...summarize(taken) }];
  });
  return { rows, failures };
}

/** How long something took, ms. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await act();
  return performance.now() - from;
}

async function bounded<T>(sample: Promise<T>): Promise<T> {
  const bound = new AbortController();
  const tooLong = delay(SAMPLE_MS_MAX, undefined, { signal: bound.signal }).then(() => {
    throw new Error(`gave up after ${SAMPLE_MS_MAX / 1_000} s`);
  });
  try {
    return await Promise.race([sample, tooLong]);
  } finally {
    bound.abort();
    tooLong.catch(() => {});
  }
}
