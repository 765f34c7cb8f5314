/** The check of the targets: ratios to the bases of a target, and floors that are above one. */
import { expect, test } from "vitest";
import { type Measure, type Row, type Who, summarize } from "../statistics.ts";
import { type Target, judge } from "../targets.ts";

type Given = readonly [what: string, who: Who, samples: readonly number[], n?: number];

function measure(id: string, rows: readonly Given[]): Measure {
  const made = rows.map(([what, who, samples, n]): Row => ({
    what,
    who,
    ...(n === undefined ? {} : { n }),
    ...summarize(samples),
  }));
  return { id, title: id, unit: "ms", how: "", rows: made, failures: [] };
}

function find(measures: readonly Measure[], what: string, wanted: string): Target | undefined {
  return judge(measures).find((target) => target.what === what && target.wanted === wanted);
}

test("a ratio is the median of the ratios within the rounds", () => {
  const taken = measure("one-step", [
    ["inline", "Holdfast", [6, 12, 60]],
    ["inline", "floor", [5, 10, 20]],
  ]);
  expect(find([taken], "One run of one step, inline", "≤ 1.2 × floor")).toMatchObject({
    bound: "12",
    found: "12 (1.2 ×)",
    met: true,
  });
});

test("the target is 1.1 times the floor where the floor of the pipe is above the target", () => {
  const taken = measure("wake", [
    ["socket", "Holdfast", [5.4, 5.4, 5.6]],
    ["http", "floor", [6, 6, 6]],
    ["socket", "floor", [5, 5, 5]],
    ["Restate", "peer", [5, 5, 5]],
  ]);
  // 0.8 × 5 ms is below the better floor of the pipe, which takes 5 ms.
  expect(find([taken], "Signal to end, socket", "≤ 0.8 × Restate")).toMatchObject({
    bound: "5.5",
    floor: "5",
    met: true,
  });
});

test("a rate must be at least its target, or the floor divided by 1.1 where the floor is below the target", () => {
  const rates = (own: number): Measure =>
    measure("throughput", [
      ["rpc", "Holdfast", [own, own, own]],
      ["rpc", "floor", [110, 110, 110]],
      ["inline", "floor", [400, 400, 400]],
    ]);
  const wanted = "≥ 0.75 × floor";
  expect(find([rates(101)], "Runs a second, rpc", wanted)).toMatchObject({ bound: "100", met: true });
  expect(find([rates(99)], "Runs a second, rpc", wanted)).toMatchObject({ met: false });
});

test("a step more is the difference between runs of 1,000 and of 10 steps", () => {
  const taken = measure("steps", [
    ["inline", "Holdfast", [1], 10],
    ["inline", "Holdfast", [0.0595], 1_000],
    ["Restate", "peer", [2], 10],
    ["Restate", "peer", [1.01], 1_000],
  ]);
  expect(find([taken], "A step more, inline", "≤ 0.05 × Restate")).toMatchObject({ found: "0.05 (0.05 ×)", met: true });
});

test("a target whose peer is missing is neither met nor missed", () => {
  const taken = measure("one-step", [
    ["inline", "Holdfast", [6]],
    ["inline", "floor", [5]],
  ]);
  expect(find([taken], "One run of one step, inline", "≤ 0.65 × Restate")).toMatchObject({
    found: "not measured",
    met: undefined,
  });
});
