/**
 * Measures of single runs and of many: one step, steps in a row, a signal, runs a second. Each system takes part.
 *
 * Owns: the sizes, and the floor of each pipe: the fewest commits and messages with which an object can do the same.
 */
import { type Contestant, p50, runRounds, timed } from "../rounds.ts";
import type { Measure, Row } from "../statistics.ts";
import { type System, steps, wakeAttached, waiting } from "../systems/system.ts";
import type { FloorPipe, FloorWork } from "../workers/floor-work.ts";
import { type Bench, PIPES, floorOf, inFlight } from "./contest.ts";

/** The medians of so many rounds are compared. */
const ROUNDS = 3;

/** Returns a contestant for each floor. */
function floors(
  bench: Bench,
  workOf: (pipe: FloorPipe) => FloorWork,
  sample: (work: FloorWork) => Promise<number> = (work) => floorOf(bench.platform, work),
): readonly Contestant[] {
  return PIPES.map((pipe) => ({ what: pipe, who: "floor", sample: () => sample(workOf(pipe)) }));
}

function contestants(
  { systems }: Bench,
  sample: (system: System, id: string) => Promise<number>,
): readonly Contestant[] {
  return systems.map((system) => ({
    what: system.what,
    who: system.who,
    sample: (round) => sample(system, round),
  }));
}

/** A run of three rows and an alarm inline; over a pipe a row for the header, and a message with a commit for each step and the end. */
function runFloor(pipe: FloorPipe, stepCount: number): FloorWork {
  return { pipe, n: pipe === "inline" ? 2 : stepCount + 1, header: true };
}

export async function measureOneStep(bench: Bench): Promise<Measure> {
  const times = bench.quick ? 10 : 80;
  const all = [
    ...contestants(bench, (system, id) => p50(times, (i) => timed(() => system.run(`one-${id}-${i}`, steps(1))))),
    ...floors(
      bench,
      (pipe) => runFloor(pipe, 1),
      (work) => p50(times, () => floorOf(bench.platform, work)),
    ),
  ];
  const options = { name: "1-step run", rounds: ROUNDS, budgetMs: 90_000, progress: bench.progress };
  return {
    id: "one-step",
    title: "A run of one step",
    unit: "ms",
    how: `From the request until the caller has the result. A sample is the median of ${times} runs, one after the other. Floor, inline: a new object that writes three rows and sets its alarm; over a pipe: a row and the alarm, and then two messages with a row after each.`,
    ...(await runRounds(all, options)),
  };
}

export async function measureWake(bench: Bench): Promise<Measure> {
  const times = bench.quick ? 10 : 50;
  const floorSample = async (work: FloorWork): Promise<number> => {
    const id = crypto.randomUUID();
    await floorOf(bench.platform, { pipe: "inline", n: 2, header: true }, id);
    return floorOf(bench.platform, work, id);
  };
  const all = [
    ...contestants(bench, (system, id) =>
      p50(times, async (i) => {
        await system.park(`wake-${id}-${i}`, waiting(steps(1)));
        return wakeAttached(system, `wake-${id}-${i}`);
      }),
    ),
    ...floors(
      bench,
      (pipe) => ({ pipe, n: 1, header: pipe !== "inline" }),
      (work) => p50(times, () => floorSample(work)),
    ),
  ];
  const options = { name: "signal to end", rounds: ROUNDS, budgetMs: 120_000, progress: bench.progress };
  return {
    id: "wake",
    title: "Signal to end",
    unit: "ms",
    how: `From the request with the signal until a caller who waits has the result. The run has had one step, and is in memory. A sample is the median of ${times} runs. Floor, inline: an object in memory that writes a row; over a pipe: a row, a message, and another row.`,
    ...(await runRounds(all, options)),
  };
}

const AT_ONCE = 50;

export async function measureThroughput(bench: Bench): Promise<Measure> {
  const total = bench.quick ? 100 : 400;
  const all = [
    ...contestants(bench, (system, id) => perSecond(total, (i) => system.run(`many-${id}-${i}`, steps(3)))),
    ...floors(
      bench,
      (pipe) => runFloor(pipe, 3),
      (work) => perSecond(total, () => floorOf(bench.platform, work)),
    ),
  ];
  const options = { name: "50 in flight", rounds: ROUNDS, budgetMs: 180_000, progress: bench.progress };
  return {
    id: "throughput",
    title: "Runs a second, 50 in flight",
    unit: "runs/s (more is better)",
    how: `Runs of three steps, ${AT_ONCE} concurrently, until each caller has the result. A sample is a batch of ${total} runs. Floor, inline: new objects that write three rows and set their alarms; over a pipe: a row and the alarm, and then four messages with a row after each.`,
    ...(await runRounds(all, options)),
  };
}

async function perSecond(total: number, act: (i: number) => Promise<unknown>): Promise<number> {
  return total / ((await timed(() => inFlight(total, AT_ONCE, act))) / 1_000);
}

interface Size {
  readonly n: number;
  /** A sample is the median of so many runs. */
  readonly times: number;
}

const SIZES: readonly Size[] = [
  { n: 10, times: 15 },
  { n: 100, times: 5 },
  { n: 500, times: 1 },
  { n: 1_000, times: 1 },
  { n: 5_000, times: 1 },
];

const QUICK_SIZES: readonly Size[] = [
  { n: 10, times: 3 },
  { n: 1_000, times: 1 },
];

/** Peers take no longer for a step of a longer run. */
const PEER_STEPS_MAX = 1_000;

export async function measureSteps(bench: Bench): Promise<Measure> {
  const rows: Row[] = [];
  const failures: string[] = [];
  for (const { n, times } of bench.quick ? QUICK_SIZES : SIZES) {
    const options = {
      name: `${n} steps`,
      rounds: bench.quick ? 1 : ROUNDS,
      budgetMs: 60_000,
      progress: bench.progress,
    };
    const result = await runRounds(ofSize(bench, n, times), options);
    rows.push(...result.rows);
    failures.push(...result.failures.map((text) => `${n} steps: ${text}`));
  }
  return {
    id: "steps",
    title: "Steps in a row",
    unit: "ms a step",
    how: "The time of a run of N steps whose bodies return at once, from the request until the caller has the result, divided by N. Floor: an object that writes as many rows of the same size, with a turn of the event loop after every 256 rows (inline), after each row (turns), or with a message of the pipe before each row.",
    rows,
    failures,
  };
}

function ofSize(bench: Bench, n: number, times: number): readonly Contestant[] {
  const systems = bench.systems.filter(({ who }) => who === "Holdfast" || n <= PEER_STEPS_MAX);
  const sampled = contestants({ ...bench, systems }, async (system, id) => {
    const ms = await p50(times, (i) => timed(() => system.run(`steps-${n}-${id}-${i}`, steps(n))));
    return ms / n;
  });
  const floor = (pipe: FloorPipe): Contestant => ({
    what: pipe,
    who: "floor",
    sample: async () => (await p50(times, () => floorOf(bench.platform, { pipe, n }))) / n,
  });
  return [...sampled, ...[...PIPES, "turns" as const].map(floor)].map((one) => ({ ...one, n }));
}
