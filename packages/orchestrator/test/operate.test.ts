/** Actions of an operator. */
import { beforeEach, describe, expect, test } from "vitest";
import { Bench, completed } from "./bench.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});

describe("operators", () => {
  test("CAN4 a run that is paused before its start time and unpaused after it starts at once", () => {
    bench.trigger({ delayMs: 1_000 });
    bench.host.handle({ type: "pause" });
    bench.now += 2_000;
    bench.host.handle({ type: "unpause" });
    expect(bench.header.status).toBe("running");
    const waiting = new Bench();
    waiting.trigger({ delayMs: 1_000 });
    waiting.host.handle({ type: "pause" });
    waiting.host.handle({ type: "unpause" });
    expect(waiting.header.status).toBe("pending");
  });

  test("COMP3 a requested compensation that diverges and is then given up ends the run without an error of its own", () => {
    bench.trigger();
    bench.report(completed("a", { compensable: true }));
    bench.report({
      type: "run.unwinding",
      op: "unwind/0/run",
      nth: 2,
      cause: "request",
      error: { name: "Error", message: "asked", code: "COMPENSATED" },
    });
    bench.report({ type: "run.diverged", error: { name: "Error", message: "code", code: "NON_DETERMINISM" } });
    bench.host.handle({ type: "cancel" });
    expect(bench.header).toMatchObject({ status: "compensation_failed", uncompensated: [{ op: "step/0/a" }] });
    expect(bench.header.error).toBeUndefined();
  });
});
