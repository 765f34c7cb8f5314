/**
 * Measures of the loop of an agent: turns with large results, and the same after the processes were killed.
 */
import { type Contestant, p50, runRounds, timed } from "../rounds.ts";
import type { Measure, Row } from "../statistics.ts";
import { type System, turns, wakeUntouched, waiting } from "../systems/system.ts";
import { type Bench, PIPES, floorOf } from "./contest.ts";

const ROUNDS = 3;

interface Size {
  readonly n: number;
  readonly times: number;
}

const SIZES: readonly Size[] = [
  { n: 50, times: 7 },
  { n: 500, times: 1 },
];

export async function measureAgent(bench: Bench): Promise<Measure> {
  return measureSizes(bench, {
    id: "agent",
    title: "Loop of an agent",
    how: "The time of a run of N steps with results of 20,000 characters, all of which the function keeps, from the request until the caller has the result. Floor: a new object that sets its alarm, and writes as many rows of the same size, with a message of the pipe before each.",
    contestants: ({ n, times }) => [
      ...bench.systems.map((system): Contestant => ({
        what: system.what,
        who: system.who,
        n,
        sample: (round) => p50(times, (i) => timed(() => system.run(`agent-${round}-${i}`, turns(n)))),
      })),
      ...PIPES.map((pipe): Contestant => ({
        what: pipe,
        who: "floor",
        n,
        sample: () => p50(times, () => floorOf(bench.platform, { pipe, n, chars: turns(n).chars, header: true })),
      })),
    ],
  });
}

/** Each sample has a start of its own, because the first run after a start makes the next one faster. */
export async function measureAfterKill(bench: Bench): Promise<Measure> {
  const { platform } = bench;
  return measureSizes(bench, {
    id: "after-kill",
    title: "Signal to end, after both sides were killed",
    how: "A run of N steps with results of 20,000 characters waits for a signal. The system and the process with its workflows are killed with SIGKILL and started again. The time is from the request with the signal until the caller has the result: the first request about a run in these processes. Floor: an object that reads as many rows and writes one, after the same.",
    contestants: ({ n }) => [
      ...bench.systems.filter(isRestartable).map((system): Contestant => ({
        what: system.what,
        who: system.who,
        n,
        async sample(round) {
          await system.park(`killed-${round}`, waiting(turns(n)));
          await system.restart();
          return wakeUntouched(system, `killed-${round}`);
        },
      })),
      {
        what: "inline",
        who: "floor",
        n,
        async sample(round) {
          const { chars } = turns(n);
          await floorOf(platform, { pipe: "inline", n, chars, header: true }, `killed-${round}`);
          await platform.restart();
          return floorOf(platform, { pipe: "inline", n: 1, reads: true }, `killed-${round}`);
        },
      },
    ],
  });
}

function isRestartable(system: System): system is System & { restart(): Promise<void> } {
  return system.restart !== undefined;
}

interface Sized extends Pick<Measure, "id" | "title" | "how"> {
  readonly contestants: (size: Size) => readonly Contestant[];
}

async function measureSizes(bench: Bench, { id, title, how, contestants }: Sized): Promise<Measure> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const size of SIZES) {
    const name = `${title.toLowerCase()}, ${size.n} turns`;
    const options = { name, rounds: bench.quick ? 1 : ROUNDS, budgetMs: 120_000, progress: bench.progress };
    const result = await runRounds(contestants(bench.quick ? { ...size, times: 1 } : size), options);
    rows.push(...result.rows);
    failures.push(...result.failures.map((text) => `${size.n} turns: ${text}`));
  }
  return { id, title, unit: "ms", how, rows, failures };
}
