/**
 * Short measurements: a run of one step, the wake of a run, parallel steps, and the throughput of many runs.
 */
import { type Contestant, runRounds, timed } from "../rounds.ts";
import type { Measure } from "../statistics.ts";
import {
  type Bench,
  PIPES,
  floorOf,
  inFlight,
  peerToEnd,
  peerToWait,
  runToEnd,
  runToWait,
  wake,
  wakePeer,
} from "./contest.ts";

export async function measureOneStep({ platform, quick, progress }: Bench): Promise<Measure> {
  const contestants = PIPES.map((pipe): Contestant => {
    const input = (round: string): object => ({ runId: `${pipe}-${round}`, workflowId: "steps", input: 1 });
    const sample = (round: string): Promise<number> =>
      timed(() => platform.ask("/api/runs", { json: input(round), wait: 50 }));
    return { what: pipe, who: "Holdfast", sample };
  });
  const peer: Contestant = {
    what: "peer",
    who: "peer",
    sample: (round) => peerToEnd(platform, `peer-${round}`, { kind: "steps", n: 1 }),
  };
  const options = { name: "1-step run", rounds: quick ? 10 : 80, budgetMs: quick ? 3_000 : 15_000, progress };
  return {
    id: "one-step",
    title: "A run of one step",
    unit: "ms",
    how: "One request: `POST /api/runs` with `Prefer: wait=50`, answered with the run's record when the run has ended. Peer: one request that creates an instance, answered when the instance is complete.",
    ...(await runRounds([...contestants, peer], options)),
  };
}

export async function measureWake({ platform, quick, progress }: Bench): Promise<Measure> {
  const contestants = PIPES.map((pipe): Contestant => ({
    what: pipe,
    who: "Holdfast",
    async sample(round) {
      await runToWait(platform, `${pipe}-${round}`, 1);
      return wake(platform, `${pipe}-${round}`);
    },
  }));
  const peer: Contestant = {
    what: "peer",
    who: "peer",
    async sample(round) {
      await peerToWait(platform, `peer-${round}`);
      return wakePeer(platform, `peer-${round}`);
    },
  };
  const options = { name: "wake", rounds: quick ? 10 : 60, budgetMs: quick ? 3_000 : 15_000, progress };
  return {
    id: "wake",
    title: "Waking a run that waits",
    unit: "ms",
    how: "The time from a signal's delivery to the end of the run that waited for it, after one step; the object is in memory. Peer: from `sendEvent` until the instance is complete.",
    ...(await runRounds([...contestants, peer], options)),
  };
}

const PARALLEL_STEPS = { n: 20, ms: 50 };

export async function measureParallel({ platform, quick, progress }: Bench): Promise<Measure> {
  const contestants = PIPES.map((pipe): Contestant => ({
    what: pipe,
    who: "Holdfast",
    sample: (round) => runToEnd(platform, `${pipe}-${round}`, "parallel", PARALLEL_STEPS),
  }));
  const peer: Contestant = {
    what: "peer",
    who: "peer",
    sample: (round) => peerToEnd(platform, `peer-${round}`, { kind: "parallel", ...PARALLEL_STEPS }),
  };
  const floor: Contestant = {
    what: "inline",
    who: "floor",
    sample: () => floorOf(platform, "timers", PARALLEL_STEPS.n),
  };
  const options = { name: "20 × 50 ms", rounds: quick ? 2 : 15, budgetMs: quick ? 4_000 : 15_000, progress };
  return {
    id: "parallel",
    title: "20 parallel steps of 50 ms",
    unit: "ms",
    how: "The time from the trigger to the end of a run of 20 parallel steps that take 50 ms each. The ideal is 50 ms. Floor: 20 timers of 50 ms in one object, with a plain write after each.",
    ...(await runRounds([...contestants, floor, peer], options)),
  };
}

const AT_ONCE = 50;

export async function measureThroughput({ platform, quick, progress }: Bench): Promise<Measure> {
  const contestants = PIPES.map((pipe): Contestant => {
    const sample = (round: string): Promise<number> =>
      perSecond(quick ? 60 : 200, (i) => runToEnd(platform, `${pipe}-${round}-${i}`, "steps", 3));
    return { what: pipe, who: "Holdfast", sample };
  });
  const peer: Contestant = {
    what: "peer",
    who: "peer",
    sample: (round) =>
      perSecond(quick ? 30 : 100, (i) => peerToEnd(platform, `peer-${round}-${i}`, { kind: "steps", n: 3 })),
  };
  const options = { name: "50 in flight", rounds: quick ? 1 : 4, budgetMs: quick ? 1 : 35_000, progress };
  return {
    id: "throughput",
    title: "Runs a second, 50 in flight",
    unit: "runs/s (more is better)",
    how: "Runs of three steps, 50 concurrently, each with its own trigger request and its own object. A sample is one batch of runs.",
    ...(await runRounds([...contestants, peer], options)),
  };
}

async function perSecond(total: number, act: (i: number) => Promise<unknown>): Promise<number> {
  return total / ((await timed(() => inFlight(total, AT_ONCE, act))) / 1_000);
}
