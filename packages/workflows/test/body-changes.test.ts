/** tests: the list of bodies that execute, as a step handler reports it */
import type { StepInProgress } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { BodyChanges } from "../src/handler/body-changes.ts";

const body = (name: string): StepInProgress => ({ op: `step/0/${name}`, attempt: 1, startedAt: 0 });
const [a, b, c] = [body("a"), body("b"), body("c")];

test("REP6 a body is listed once, and again only while the orchestrator may not have received it", () => {
  const changes = new BodyChanges();
  expect(changes.changes([a, b])).toEqual({ began: [a, b], executing: 2 });
  expect(changes.changes([a, b, c])).toEqual({ began: [a, b, c], executing: 3 });
  changes.received();
  expect(changes.changes([b, c])).toEqual({ began: [], executing: 2 });
});

test("STEP8 a body with new progress is listed again, wherever it is in the list", () => {
  const changes = new BodyChanges();
  changes.changes([a, b]);
  changes.received();
  const progressed = { ...a, progress: "[50]" };
  expect(changes.changes([progressed, b])).toEqual({ began: [progressed], executing: 2 });
  changes.received();
  expect(changes.changes([progressed, b])).toEqual({ began: [], executing: 2 });
});
