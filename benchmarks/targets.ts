/**
 * The targets, and their check.
 *
 * Owns: the targets. They are ratios within one run, or counts. Where the floor of a pipe is above a target, the target is
 * 1.1 × that floor, because no engine can do better than its floor. One is a time, which holds only for one machine.
 */
import { PIPES, type Pipe } from "./measures/contest.ts";
import { type Measure, type Row, findRow, ratioOf, summarize } from "./statistics.ts";

export interface Target {
  readonly what: string;
  /** The target as it is written. */
  readonly wanted: string;
  /** The target in this run. */
  readonly bound: string;
  /** The floor of the pipe in this run, if it has one. */
  readonly floor: string;
  readonly found: string;
  /** `undefined`: the value was not measured. */
  readonly met: boolean | undefined;
}

/** The target is 1.1 × a floor that is above it. */
const ABOVE_FLOOR = 1.1;

/** What is compared: the row of a measure. */
interface Place {
  readonly measure: string;
  readonly n?: number;
}

/** What a target is a multiple of. `pipe floor`: of the pipe itself; `floor`: of an object that no pipe is part of. */
type Base = "floor" | "pipe floor" | "Restate" | "Cloudflare Workflows";

interface Rule extends Place {
  readonly what: string;
  readonly pipe: Pipe;
  readonly factor: number;
  readonly base: Base;
  /** `true`: more is better. */
  readonly rate?: boolean;
}

const STEP_MORE: Place = { measure: "step-more" };
const agent = (n: number): Place => ({ measure: "agent", n });

const RULES: readonly Rule[] = [
  ...rules("One run of one step", { measure: "one-step" }, [
    ["inline", 1.2, "floor"],
    ["inline", 0.65, "Restate"],
    ["socket", 1, "Restate"],
    ["rpc", 1.5, "floor"],
  ]),
  ...rules("A step more", STEP_MORE, [
    ["inline", 0.05, "Restate"],
    ["socket", 0.4, "Restate"],
    ["rpc", 1.5, "pipe floor"],
  ]),
  ...rules("Runs a second", { measure: "throughput" }, [
    ["inline", 0.9, "floor"],
    ["socket", 0.9, "pipe floor"],
    ["rpc", 0.75, "floor"],
  ]).map((rule) => ({ ...rule, rate: true })),
  ...rules("Signal to end", { measure: "wake" }, [
    ["inline", 0.5, "Restate"],
    ["inline", 0.3, "Cloudflare Workflows"],
    ["socket", 0.8, "Restate"],
  ]),
  ...[50, 500].flatMap((n) =>
    rules(`Agent, ${n} turns`, agent(n), [
      ["inline", 0.25, "Restate"],
      ["socket", 0.6, "Restate"],
      ["rpc", 0.4, "Restate"],
    ]),
  ),
];

function rules(what: string, place: Place, wanted: readonly (readonly [Pipe, number, Base])[]): readonly Rule[] {
  return wanted.map(([pipe, factor, base]) => ({ what: `${what}, ${pipe}`, ...place, pipe, factor, base }));
}

/**
 * Half of what an earlier version took from the signal to the end after a kill, ms. On the machine of that time the floor of a
 * run took 3.6 ms, so the times are multiples of it.
 */
const AFTER_KILL: readonly { readonly pipe: Pipe; readonly n: number; readonly earlierMs: number }[] = [
  { pipe: "inline", n: 50, earlierMs: 40 },
  { pipe: "inline", n: 500, earlierMs: 181 },
  { pipe: "socket", n: 50, earlierMs: 75.5 },
  { pipe: "socket", n: 500, earlierMs: 313 },
];
const EARLIER_FLOOR_MS = 3.6;

export function judge(taken: readonly Measure[]): readonly Target[] {
  const measures = [...taken, stepMore(taken)];
  return [
    ...RULES.map((rule) => judgeRule(measures, rule)),
    ...AFTER_KILL.map((wanted) => judgeAfterKill(measures, wanted)),
    ...judgeGrowth(measures),
  ];
}

/** The time of a step more: the difference between runs of 1,000 and of 10 steps. */
function stepMore(measures: readonly Measure[]): Measure {
  const steps = measures.find(({ id }) => id === "steps")?.rows ?? [];
  const rows = steps.flatMap((long): Row[] => {
    const short = steps.find((row) => row.what === long.what && row.who === long.who && row.n === 10);
    if (long.n !== 1_000 || short === undefined) return [];
    const samples = long.samples.map((ms, round) => (1_000 * ms - 10 * (short.samples[round] ?? short.median)) / 990);
    return [{ what: long.what, who: long.who, ...summarize(samples) }];
  });
  return { id: "step-more", title: "A step more", unit: "ms", how: "", rows, failures: [] };
}

function judgeRule(measures: readonly Measure[], rule: Rule): Target {
  const { measure, n, pipe, factor, base, rate = false, what } = rule;
  const row = (name: string, who: Row["who"]): Row | undefined => findRow(measures, measure, name, who, n);
  const own = row(pipe, "Holdfast");
  const floor = bestFloor(rule, row);
  const other = base === "floor" ? row("inline", "floor") : base === "pipe floor" ? floor : row(base, "peer");
  const wanted = factor * (other?.median ?? Number.NaN);
  // A rate is better if it is higher.
  const beyond = floor !== undefined && (rate ? floor.median < wanted : floor.median > wanted);
  const [against, times] = beyond ? [floor, rate ? 1 / ABOVE_FLOOR : ABOVE_FLOOR] : [other, factor];
  const ratio = ratioOf(own, against);
  return {
    what,
    wanted: `${rate ? "≥" : "≤"} ${factor} × ${base}`,
    bound: shown(times * (against?.median ?? Number.NaN)),
    floor: shown(floor?.median ?? Number.NaN),
    found: Number.isNaN(ratio) ? "not measured" : `${shown(own?.median ?? Number.NaN)} (${shown(ratio)} ×)`,
    met: Number.isNaN(ratio) ? undefined : rate ? ratio >= times : ratio <= times,
  };
}

/** Returns the floor of the pipe. To a Node process the better of its two floors counts. */
function bestFloor(
  { pipe, rate = false }: Rule,
  row: (name: string, who: Row["who"]) => Row | undefined,
): Row | undefined {
  const candidates = (pipe === "http" ? ["socket", "socket"] : [pipe]).flatMap((name) => row(name, "floor") ?? []);
  return candidates.toSorted((a, b) => (rate ? b.median - a.median : a.median - b.median))[0];
}

function judgeAfterKill(measures: readonly Measure[], { pipe, n, earlierMs }: (typeof AFTER_KILL)[number]): Target {
  const own = findRow(measures, "after-kill", pipe, "Holdfast", n)?.median ?? Number.NaN;
  const floor = findRow(measures, "after-kill", "inline", "floor", n)?.median ?? Number.NaN;
  const machine = (findRow(measures, "one-step", "inline", "floor")?.median ?? Number.NaN) / EARLIER_FLOOR_MS;
  const wanted = 0.5 * earlierMs * machine;
  const bound = floor > wanted ? ABOVE_FLOOR * floor : wanted;
  return {
    what: `After a kill, ${n} turns, ${pipe}`,
    wanted: `≤ 0.5 × ${earlierMs} ms, where the floor of a run took ${EARLIER_FLOOR_MS} ms`,
    bound: shown(bound),
    floor: shown(floor),
    found: Number.isNaN(own) ? "not measured" : shown(own),
    met: Number.isNaN(own) ? undefined : own <= bound,
  };
}

function judgeGrowth(measures: readonly Measure[]): readonly Target[] {
  const median = (id: string, what: string, n?: number): number =>
    findRow(measures, id, what, "Holdfast", n)?.median ?? Number.NaN;
  return [
    ...PIPES.map((pipe) =>
      atMost(
        `A step, ${pipe}`,
        1.2,
        "× the cost of a step at 500, at 5,000 steps",
        median("steps", pipe, 5_000) / median("steps", pipe, 500),
      ),
    ),
    atMost("A run of N steps", 3, "rows beyond N", median("rows", "rows written beyond N")),
    atMost("Cold wake, inline", 250, "ms with 10,000 entries", median("cold-wake", "inline", 10_000)),
  ];
}

function atMost(what: string, bound: number, unit: string, found: number): Target {
  const measured = Number.isFinite(found);
  return {
    what,
    wanted: `≤ ${bound} ${unit}`,
    bound: String(bound),
    floor: "",
    found: measured ? shown(found) : "not measured",
    met: measured ? found <= bound : undefined,
  };
}

function shown(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "–";
}
