/**
 * What the engine is to reach, and whether it did.
 *
 * Owns: the targets. All of them are ratios within one run, or counts; two are times, which hold for one machine.
 */
import { PIPES } from "./measures/contest.ts";
import { type Measure, type Who, medianOf } from "./statistics.ts";

export interface Target {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  /** `undefined`: it was not measured. */
  readonly met: boolean | undefined;
}

export function judge(measures: readonly Measure[]): readonly Target[] {
  const step = (what: string, who: Who, n: number): number => medianOf(measures, "steps", what, who, n);
  const sizes = [1_000, 5_000].filter((n) => Number.isFinite(step("inline", "Holdfast", n)));
  const overFloor = (pipe: string): number =>
    Math.max(...sizes.map((n) => step(pipe, "Holdfast", n) / step(pipe, "floor", n)));
  const beyondFloor = Math.max(...sizes.map((n) => step("http", "Holdfast", n) - step("http", "floor", n)));
  const waking = medianOf(measures, "wake", "inline", "Holdfast") / medianOf(measures, "wake", "peer", "peer");
  return [
    atMost("A step inline", 5, "× its floor, at 1,000 and 5,000 steps", overFloor("inline")),
    atMost(
      "A step inline",
      0.05,
      "× the peer's, at 1,000 steps",
      step("inline", "Holdfast", 1_000) / step("peer", "peer", 1_000),
    ),
    atMost("A step over RPC", 2, "× its floor, at 1,000 and 5,000 steps", overFloor("rpc")),
    atMost("A step over HTTP", 2, "ms more than one round trip, at 1,000 and 5,000 steps", beyondFloor),
    ...PIPES.map((pipe) =>
      atMost(
        `A step, ${pipe}`,
        1.2,
        "× as much among 5,000 as among 500",
        step(pipe, "Holdfast", 5_000) / step(pipe, "Holdfast", 500),
      ),
    ),
    atMost("A run of N steps", 3, "rows beyond N", medianOf(measures, "rows", "rows written beyond N", "Holdfast")),
    atMost("Waking, inline", 0.3, "× the peer's", waking),
    atMost(
      "Cold wake, inline",
      250,
      "ms with 10,000 entries",
      medianOf(measures, "cold-wake", "inline", "Holdfast", 10_000),
    ),
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
