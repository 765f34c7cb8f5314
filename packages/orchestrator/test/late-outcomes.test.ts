/** Outcomes that no report brings: the function continues until they arrive, so a replay waits before each (REP2). */
import { expect, test } from "vitest";
import { readJournal } from "../src/index.ts";
import { Bench, child } from "./bench.ts";

const timed = (op: `sleep/0/${string}` | `signal/0/${string}`) =>
  ({ type: "wait.opened", op, nth: 1, afterMs: 1_000 }) as const;
const open = (op: `signal/0/${string}`) => ({ type: "wait.opened", op, nth: 1 }) as const;

test.each<[string, (bench: Bench) => void]>([
  [
    "the end of a sleep",
    (bench) => {
      bench.report(timed("sleep/0/sleep"));
      bench.alarm();
    },
  ],
  [
    "a time-out",
    (bench) => {
      bench.report(timed("signal/0/s"));
      bench.alarm();
    },
  ],
  [
    "a delivery",
    (bench) => {
      bench.report(open("signal/0/s"));
      bench.host.handle({ type: "deliver", kind: "signal", name: "s", payload: "[1]" });
    },
  ],
  [
    "the end of a child",
    (bench) => {
      bench.report(child("c"));
      const runId = bench.header.waits[0]?.runId ?? "";
      const outcome = { status: "completed", runId, output: "[1]" } as const;
      bench.host.handle({ type: "childEnded", op: "run/0/c", outcome });
    },
  ],
  [
    "a wait that lost its race",
    (bench) => {
      bench.report({ type: "race.opened", ops: ["signal/0/a", "signal/0/s"] }, open("signal/0/a"), open("signal/0/s"));
      bench.host.handle({ type: "deliver", kind: "signal", name: "a", payload: "[1]" });
    },
  ],
])("REP2 %s is marked as an outcome that came late", (_what, act) => {
  const bench = new Bench();
  bench.trigger();
  act(bench);
  expect(readJournal(bench.host.state).at(-1)).toMatchObject({ quiet: true });
});
