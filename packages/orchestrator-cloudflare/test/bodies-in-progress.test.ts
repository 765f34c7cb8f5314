/** tests: the list of bodies that execute, as the orchestrator follows it */
import type { ExecutionReport, StepInProgress } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { BodiesInProgress } from "../src/dispatch/bodies-in-progress.ts";

const body = (name: string): StepInProgress => ({ op: `step/0/${name}`, attempt: 1, startedAt: 0 });
const [a, b, c] = [body("a"), body("b"), body("c")];

function endOf({ op }: StepInProgress): ExecutionReport {
  const event = { type: "step.completed", op, nth: 1, attempt: 1, startedAt: 0, value: "-1" } as const;
  return { epoch: 1, asked: 1, events: [event] };
}

test("STEP8 a body with new progress keeps its place in the list", () => {
  const bodies = new BodiesInProgress();
  bodies.apply({ began: [a, b], executing: 2 });
  const progressed = { ...a, progress: "[50]" };
  expect(bodies.apply({ began: [progressed], executing: 2 })).toBe(true);
  expect(bodies.list).toEqual([progressed, b]);
});

test("REP6 the orchestrator follows the changes, and requests the whole list when it misses one", () => {
  const bodies = new BodiesInProgress();
  bodies.apply({ began: [a, b], executing: 2 });
  bodies.apply({ began: [c], executing: 2 }, endOf(a));
  expect([bodies.list, bodies.complete]).toEqual([[b, c], true]);
  bodies.apply({ began: [], executing: 1 });
  expect(bodies.complete).toBe(false);
  bodies.apply({ inProgress: [c] });
  expect([bodies.list, bodies.complete]).toEqual([[c], true]);
});
