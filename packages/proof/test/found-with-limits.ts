/** Scenarios in which the simulator found a fault at a small limit, shrunk. See found-scenarios.ts. */
import type { Scenario } from "../src/index.ts";

const STEP = { kind: "step", ms: 0, failures: 0, undo: "none", timeoutMs: undefined } as const;

export const FOUND_WITH_LIMITS: Record<string, Scenario> = {
  "a run was resumed whose journal had more entries than its limit, because of its clean-up": {
    program: {
      kind: "settled",
      id: 0,
      parts: [
        {
          kind: "cleanup",
          id: 1,
          parts: [
            {
              kind: "shared",
              id: 2,
              parts: [
                { kind: "child", id: 3, detach: false, body: { kind: "throw", id: 4 } },
                { kind: "sleep", id: 5, ms: 103 },
                { kind: "sleep", id: 6, ms: 155 },
              ],
            },
            { ...STEP, id: 7, name: "c7", once: false, deaths: 14 },
          ],
        },
        { ...STEP, id: 8, name: "s8", once: true },
        { kind: "wait", id: 9, on: "signal", name: "b", ms: 364, even: undefined },
      ],
    },
    timeoutMs: undefined,
    remote: "never",
    actions: [],
    faults: [],
    resume: 2,
    limits: { auditRows: 2, journalEntries: 8 },
  },
};
