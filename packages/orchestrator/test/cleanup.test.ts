/** Clean-up code in a step handler that reports nothing before its bodies have ended (CAN2, DUR11). */
import { expect, test } from "vitest";
import { RunHost } from "../src/index.ts";
import { Bench } from "./bench.ts";

/** Cancels a run whose execution is gone, sets the clock back, and fires the alarms of the next `seconds`. */
function cancelled(answersPings: boolean, seconds: number, backMs = 0): RunHost {
  const bench = new Bench();
  const host: RunHost = new RunHost({
    store: bench.store,
    clock: () => bench.now,
    dispatcher: {
      workflows: () => [],
      start: () => ({ update: () => {}, abort: () => {}, ping: (answered) => answersPings && answered() }),
    },
  });
  host.handle(bench.newTrigger());
  host.handle({ type: "cancel", reason: undefined });
  bench.now -= backMs;
  if (backMs > 0) host.handle({ type: "settle" });
  const end = bench.now + seconds * 1_000;
  for (let at = bench.store.alarm; at !== null && at <= end; at = bench.store.alarm) {
    bench.now = Math.max(bench.now, at);
    // As the platform does: an alarm that its handler does not set again is gone.
    bench.store.takeAlarm();
    host.handle({ type: "alarm" });
  }
  return host;
}

test("CAN2 CAN9 a cancelled run does not end while the execution of its clean-up code answers pings", () => {
  expect(cancelled(true, 600).state.header).toMatchObject({ status: "running", epoch: 1 });
});

test("CAN2 a cancelled run ends after 60 s if its execution says nothing", () => {
  expect(cancelled(false, 61).state.header).toMatchObject({ status: "cancelled", cleanup: "not run" });
});

test("CAN2 DUR9 it ends 60 s after the next input if the clock was set back by a day", () => {
  expect(cancelled(false, 61, 86_400_000).state.header).toMatchObject({ status: "cancelled", cleanup: "not run" });
});
