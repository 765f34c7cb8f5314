/** The entries and outcomes that a resumed run takes over. */
import { type ExecutionEvent, encodeValue } from "@holdfast/protocol";
import { beforeEach, describe, expect, test } from "vitest";
import { planResume, readJournal } from "../src/index.ts";
import { Bench, completed } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

const failed = (more: object = {}): ExecutionEvent => ({
  type: "run.failed",
  error: { name: "Error", message: "no", data: encodeValue({ at: 1 }, "data") },
  ...more,
});

describe("resume", () => {
  test("RES1 a run without steps cannot be resumed from a step, and the refusal states it", () => {
    bench.trigger();
    bench.report({ type: "run.completed", output: "[1]" });
    const request = { resumeFromStep: "a", seedResults: [] };
    expect(planResume(bench.header, [], request)).toMatchObject({
      code: "unknown_step",
      message: 'The run has no step "a". Its steps are: none.',
    });
  });

  test("RES2 a seeded result keeps the marks `quiet` and `compensable` of its entry", () => {
    bench.trigger();
    bench.report(completed("a", { compensable: true, quiet: true }));
    bench.report(completed("b"));
    bench.report(failed({ step: "step/0/c" }));
    const journal = readJournal(bench.host.state);
    const plan = planResume(bench.header, journal, {
      resumeFromStep: undefined,
      seedResults: [
        ["a", encodeValue(2, "a")],
        ["b", encodeValue(3, "b")],
      ],
    });
    expect(JSON.stringify(plan)).toContain('"compensable":true');
    expect(JSON.stringify(plan)).toContain('"quiet":true');
  });

  test("RES1 WAIT11 a step that ended because it lost a race is requested again if the winner executes again", () => {
    bench.trigger();
    const error = { name: "HoldfastError", message: "was let go", code: "RELEASED" };
    bench.report(
      { type: "step.failed", op: "step/0/loser", nth: 1, attempt: 1, startedAt: 0, error, retry: null },
      completed("winner"),
    );
    bench.report({ type: "step.failed", op: "step/0/later", nth: 3, attempt: 1, startedAt: 0, error, retry: null });
    bench.report(failed());
    const plan = planResume(bench.header, readJournal(bench.host.state), { resumeFromStep: "winner", seedResults: [] });
    const text = JSON.stringify(plan);
    expect([text.includes("step/0/loser"), text.includes("step/0/later")]).toEqual([true, false]);
  });
});
