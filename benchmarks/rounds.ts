/**
 * Rounds: each contestant takes one sample per round, so that other load on the machine affects all of them equally.
 *
 * Owns: the alternation and the time limits. A contestant that fails or takes too long takes no more samples, and a message
 * reports it; the other contestants and measures continue.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Row, type Who, summarize } from "./statistics.ts";

export interface Contestant {
  readonly what: string;
  readonly who: Who;
  readonly n?: number;
  /** Resolves with the sample. `round` is different for each call. */
  readonly sample: (round: string) => Promise<number>;
}

export interface RoundsOptions {
  readonly name: string;
  readonly rounds: number;
  /** No round starts after this time. */
  readonly budgetMs: number;
  readonly progress: (text: string) => void;
}

/** The time limit of one sample. */
const SAMPLE_MS_MAX = 60_000;

let runs = 0;

export async function runRounds(
  contestants: readonly Contestant[],
  { name, rounds, budgetMs, progress }: RoundsOptions,
): Promise<{ readonly rows: readonly Row[]; readonly failures: readonly string[] }> {
  const samples = contestants.map(() => [] as number[]);
  const failures: string[] = [];
  const broken = new Set<Contestant>();
  const end = performance.now() + budgetMs;
  let completed = 0;
  for (; completed < rounds && (completed === 0 || performance.now() < end); completed++) {
    for (const [place, contestant] of contestants.entries()) {
      if (broken.has(contestant)) continue;
      const { what, who, n } = contestant;
      const title = `${what}${n === undefined ? "" : ` × ${n}`}, ${who}`;
      progress(`${name}: round ${completed + 1} of ${rounds}, ${title}`);
      try {
        runs += 1;
        samples[place]?.push(await bounded(contestant.sample(String(runs))));
      } catch (error) {
        broken.add(contestant);
        failures.push(`${title}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  if (completed < rounds)
    failures.push(`${completed} rounds instead of ${rounds}: the time limit of this measure was reached.`);
  const rows = contestants.flatMap(({ what, who, n }, place): readonly Row[] => {
    const taken = samples[place] ?? [];
    return taken.length === 0 ? [] : [{ what, who, ...(n === undefined ? {} : { n }), ...summarize(taken) }];
  });
  return { rows, failures };
}

/** Returns the duration of `act`, ms. */
export async function timed(act: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await act();
  return performance.now() - from;
}

/** Resolves with the median of `times` samples, one after the other. */
export async function p50(times: number, sample: (i: number) => Promise<number>): Promise<number> {
  const samples: number[] = [];
  for (let i = 0; i < times; i++) samples.push(await sample(i));
  return summarize(samples).median;
}

async function bounded<T>(sample: Promise<T>): Promise<T> {
  const bound = new AbortController();
  const tooLong = delay(SAMPLE_MS_MAX, undefined, { signal: bound.signal }).then(() => {
    throw new Error(`the sample took longer than ${SAMPLE_MS_MAX / 1_000} s`);
  });
  try {
    return await Promise.race([sample, tooLong]);
  } finally {
    bound.abort();
    tooLong.catch(() => {});
  }
}
