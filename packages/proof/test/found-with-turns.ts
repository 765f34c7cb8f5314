/** Scenarios in which the simulator found a fault over turns of a step handler, shrunk. See found-scenarios.ts. */
import type { Scenario } from "../src/index.ts";
import { NO_FAULTS, STEP } from "./found-scenarios.ts";

const TURNS = { sessionsMax: 1_000, idleMsMax: 300_000, holdMs: 100, stateless: false };

export const FOUND_WITH_TURNS: Record<string, Scenario> = {
  "a first turn whose answer was lost was repeated at another instance, where the body executed again": {
    ...NO_FAULTS,
    program: { ...STEP, id: 1, name: "same" },
    remote: "by turns",
    actions: [],
    faults: [
      { at: 0, type: "turn", fault: "answer lost" },
      { at: 2, type: "turn", fault: "elsewhere" },
    ],
    turns: TURNS,
  },
  "a first turn was repeated to the next process of an instance that had ended": {
    ...NO_FAULTS,
    program: { ...STEP, id: 0, name: "same" },
    remote: "always",
    faults: [
      { at: 0, type: "turn", fault: "answer lost" },
      { at: 2, type: "turn", fault: "restart" },
    ],
    turns: TURNS,
  },
  "the list of actions offered a resume of a run whose time budget was due, and the resume was refused": {
    ...NO_FAULTS,
    program: { kind: "throw", id: 0 },
    timeoutMs: 2860,
    remote: "always",
    actions: [
      { afterMs: 268, run: 0, act: { type: "token" } },
      { afterMs: 977, run: 2, act: { type: "deliver", on: "event", name: "a", delivery: 1 } },
      { afterMs: 956, run: 2, act: { type: "delete children" } },
      { afterMs: 922, run: 1, act: { type: "deliver", on: "signal", name: "b", delivery: 1 } },
    ],
    faults: [
      { at: 2, type: "commit fails" },
      { at: 0, type: "turn", fault: "late" },
    ],
    flags: [1],
    turns: { ...TURNS, sessionsMax: 1, idleMsMax: 5_000, holdMs: 2_000, stateless: true },
  },
};
