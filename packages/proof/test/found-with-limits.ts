/** Scenarios in which the simulator found a fault at a small limit, shrunk. See found-scenarios.ts. */
import type { Scenario } from "../src/index.ts";
import { NO_FAULTS, STEP } from "./found-scenarios.ts";

export const FOUND_WITH_LIMITS: Record<string, Scenario> = {
  "a run was resumed whose journal had more entries than its limit, because of its clean-up": {
    ...NO_FAULTS,
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
            { ...STEP, id: 7, name: "c7", deaths: 14 },
          ],
        },
        { ...STEP, id: 8, name: "s8", once: true },
        { kind: "wait", id: 9, on: "signal", name: "b", ms: 364, even: undefined },
      ],
    },
    resume: 2,
    limits: { auditRows: 2, journalEntries: 8 },
  },
  "an execution that reached a limit while it was paused was not notified that it continues": {
    ...NO_FAULTS,
    program: {
      kind: "all",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", undo: "works" },
        { ...STEP, id: 2, name: "s2", ms: 1_000 },
      ],
    },
    actions: [
      { afterMs: 500, run: 0, act: { type: "pause" } },
      { afterMs: 2_000, run: 0, act: { type: "unpause" } },
    ],
    limits: { journalEntries: 1 },
  },
  "outcomes of clean-up code were dropped at the limit of the journal, and it waited until its time-out": {
    ...NO_FAULTS,
    program: {
      kind: "cleanup",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", undo: "works" },
        { ...STEP, id: 2, name: "c2", failures: 2 },
      ],
    },
    limits: { journalEntries: 2 },
  },
  "the outcome of a group's compensation was dropped at the limit of the journal, and the run was stuck": {
    ...NO_FAULTS,
    program: {
      kind: "group",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", undo: "works" },
        { ...STEP, id: 2, name: "s2", failures: 3 },
      ],
    },
    limits: { journalEntries: 4 },
  },
};
