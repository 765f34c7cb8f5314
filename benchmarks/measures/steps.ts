/**
 * Measures the time per step of a sequence, for each dispatcher, for the floor of its pipe, and for the peer.
 */
import type { BenchPlatform } from "../platform.ts";
import { type Contestant, runRounds } from "../rounds.ts";
import type { Measure, Row } from "../statistics.ts";
import { type Bench, PIPES, floorOf, peerToEnd, runToEnd } from "./contest.ts";

interface Size {
  readonly n: number;
  readonly rounds: number;
  readonly budgetMs: number;
}

const SIZES: readonly Size[] = [
  { n: 10, rounds: 20, budgetMs: 10_000 },
  { n: 100, rounds: 8, budgetMs: 12_000 },
  { n: 500, rounds: 5, budgetMs: 30_000 },
  { n: 1_000, rounds: 5, budgetMs: 40_000 },
  { n: 5_000, rounds: 3, budgetMs: 60_000 },
];

const QUICK_SIZES: readonly Size[] = [
  { n: 10, rounds: 3, budgetMs: 2_000 },
  { n: 100, rounds: 2, budgetMs: 3_000 },
  { n: 1_000, rounds: 1, budgetMs: 1 },
];

/** The peer is slow, and its time per step is the same for 1,000 and for 5,000 steps. */
const PEER_STEPS_MAX = 1_000;

export async function measureSteps({ platform, quick, progress }: Bench): Promise<Measure> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const { n, rounds, budgetMs } of quick ? QUICK_SIZES : SIZES) {
    const all = contestantsOf(platform, n);
    const result = await runRounds(all, { name: `${n} steps`, rounds, budgetMs, progress });
    rows.push(...result.rows);
    failures.push(...result.failures.map((text) => `${n} steps: ${text}`));
  }
  return {
    id: "steps",
    title: "Steps in a row",
    unit: "ms a step",
    how:
      "The time from the trigger to the end of a run of N steps whose bodies return at once, divided by N. " +
      "The run has ended when its end is written. Floor: the same number of `storage.kv.put` of a row of the same size, " +
      "with a turn of the event loop after every 256 puts (inline), with a turn after each put (turns), or with a round trip of the pipe before each put: " +
      "an RPC callback, a `fetch` of the service binding, a `POST` to the Node process. Peer: until the instance is complete.",
    rows,
    failures,
  };
}

function contestantsOf(platform: BenchPlatform, n: number): readonly Contestant[] {
  const perStep = (ms: number): number => ms / n;
  const contestants = PIPES.flatMap((pipe): Contestant[] => [
    {
      what: pipe,
      who: "Holdfast",
      n,
      sample: async (round) => perStep(await runToEnd(platform, `${pipe}-${round}`, "steps", n)),
    },
    { what: pipe, who: "floor", n, sample: async () => perStep(await floorOf(platform, pipe, n)) },
  ]);
  const peer: Contestant = {
    what: "peer",
    who: "peer",
    n,
    sample: async (round) => perStep(await peerToEnd(platform, `peer-${round}`, { kind: "steps", n })),
  };
  const turns: Contestant = {
    what: "turns",
    who: "floor",
    n,
    sample: async () => perStep(await floorOf(platform, "turns", n)),
  };
  return n <= PEER_STEPS_MAX ? [...contestants, turns, peer] : [...contestants, turns];
}
