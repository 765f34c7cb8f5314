/**
 * The targets of the engine, and their check.
 *
 * Owns: the targets. They are ratios within one run, or counts. Two are times, which hold only for one machine.
 */
import { PIPES, type Pipe } from "./measures/contest.ts";
import { type Measure, type Row, type Who, findRow, ratioOf } from "./statistics.ts";

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  /** `undefined`: the value was not measured. */
  readonly met: boolean | undefined;
}

export function judge(measures: readonly Measure[]): readonly Target[] {
  const step = (what: string, who: Who, n: number): Row | undefined => findRow(measures, "steps", what, who, n);
  const sizes = [1_000, 5_000].filter((n) => step("inline", "Holdfast", n) !== undefined);
  const overFloor = (pipe: Pipe): number =>
    Math.max(...sizes.map((n) => ratioOf(step(pipe, "Holdfast", n), step(pipe, "floor", n))));
  const beyondFloor = (n: number): number =>
    (step("http", "Holdfast", n)?.median ?? NaN) - (step("http", "floor", n)?.median ?? NaN);
  const overPeer = ratioOf(step("inline", "Holdfast", 1_000), step("peer", "peer", 1_000));
  const growth = (pipe: Pipe): number =>
    (step(pipe, "Holdfast", 5_000)?.median ?? NaN) / (step(pipe, "Holdfast", 500)?.median ?? NaN);
  const waking = ratioOf(findRow(measures, "wake", "inline", "Holdfast"), findRow(measures, "wake", "peer", "peer"));
  const rows = findRow(measures, "rows", "rows written beyond N", "Holdfast")?.median ?? NaN;
  const cold = findRow(measures, "cold-wake", "inline", "Holdfast", 10_000)?.median ?? NaN;
  return [
    atMost("A step inline", 5, "× its floor, at 1,000 and 5,000 steps", overFloor("inline")),
    atMost("A step inline", 0.05, "× the peer's, at 1,000 steps", overPeer),
    atMost("A step over RPC", 2, "× its floor, at 1,000 and 5,000 steps", overFloor("rpc")),
    atMost(
      "A step over HTTP",
      2,
      "ms more than its floor, at 1,000 and 5,000 steps",
      Math.max(...sizes.map(beyondFloor)),
    ),
    ...PIPES.map((pipe) => atMost(`A step, ${pipe}`, 1.2, "× the cost of a step at 500, at 5,000 steps", growth(pipe))),
    atMost("A run of N steps", 3, "rows beyond N", rows),
    atMost("Waking, inline", 0.3, "× the peer's", waking),
    atMost("Cold wake, inline", 250, "ms with 10,000 entries", cold),
  ];
}

function atMost(what: string, bound: number, unit: string, found: number): Target {
  const measured = Number.isFinite(found);
  return {
    what,
    wanted: `≤ ${bound} ${unit}`,
    found: measured ? String(Number(found.toPrecision(3))) : "not measured",
    met: measured ? found <= bound : undefined,
  };
}
