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
};
