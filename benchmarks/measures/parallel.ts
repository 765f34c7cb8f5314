/**
 * Measures parallel steps.
 */
import { type Contestant, runRounds, timed } from "../rounds.ts";
import type { Measure } from "../statistics.ts";
import { type Bench, PIPES, floorOf, runToEnd } from "./contest.ts";

const PARALLEL_STEPS = { n: 20, ms: 50 };

export async function measureParallel({ platform, cloudflare, quick, progress }: Bench): Promise<Measure> {
  const contestants = PIPES.map((pipe): Contestant => ({
    what: pipe,
    who: "Holdfast",
    sample: (round) => runToEnd(platform, `${pipe}-${round}`, "parallel", PARALLEL_STEPS),
  }));
  const peer: Contestant = {
    what: "Cloudflare Workflows",
    who: "peer",
    sample: (round) => timed(() => cloudflare.parallel(`parallel-${round}`, PARALLEL_STEPS.n, PARALLEL_STEPS.ms)),
  };
  const floor: Contestant = {
    what: "inline",
    who: "floor",
    sample: () => floorOf(platform, { pipe: "timers", n: PARALLEL_STEPS.n }),
  };
  const options = { name: "20 × 50 ms", rounds: quick ? 2 : 15, budgetMs: 30_000, progress };
  return {
    id: "parallel",
    title: "20 parallel steps of 50 ms",
    unit: "ms",
    how: "The time from the trigger to the end of a run of 20 parallel steps that take 50 ms each. The ideal is 50 ms. Floor: 20 timers of 50 ms in one object, with a plain write after each.",
    ...(await runRounds([...contestants, floor, peer], options)),
  };
}
