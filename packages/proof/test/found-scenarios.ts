/**
 * Shrunk scenarios in which the simulator found a fault that is fixed now, by a description of the fault.
 */
import type { Scenario } from "../src/index.ts";

/** A step that takes no time and succeeds. */
export const STEP = { kind: "step", ms: 0, failures: 0, once: false, undo: "none", timeoutMs: undefined } as const;

/** What surrounds a program to which nothing happens. */
export const NO_FAULTS = { timeoutMs: undefined, remote: "never", actions: [], faults: [], resume: undefined } as const;

export const FOUND: Record<string, Scenario> = {
  "an item of a pool in a resumed run got the result of another item, because another outcome had made room for it": {
    ...NO_FAULTS,
    program: {
      kind: "sequence",
      id: 1,
      parts: [
        {
          kind: "settling",
          id: 2,
          parts: [
            { kind: "stream", id: 3, chunks: 2 },
            { kind: "sleep", id: 4, ms: 2922 },
            { ...STEP, id: 5, name: "same" },
          ],
        },
        { ...STEP, id: 8, name: "same" },
      ],
    },
    resume: 2,
  },
  "a stream ended without its number of chunks, because an abandoned execution reported to a host that had none": {
    ...NO_FAULTS,
    program: {
      kind: "shared",
      id: 1,
      parts: [
        {
          kind: "sequence",
          id: 2,
          parts: [
            { ...STEP, id: 4, name: "s4" },
            { ...STEP, id: 5, name: "s5" },
          ],
        },
        {
          kind: "child",
          id: 6,
          detach: false,
          body: {
            kind: "first",
            id: 7,
            parts: [
              { kind: "sleep", id: 8, ms: 0 },
              { kind: "sleep", id: 9, ms: 989 },
              { kind: "sleep", id: 10, ms: 287 },
            ],
          },
        },
        { kind: "stream", id: 12, chunks: 2 },
      ],
    },
    remote: "by turns",
    actions: [{ afterMs: 642, run: 3, act: { type: "deliver", on: "event", name: "b", delivery: 0 } }],
    faults: [{ at: 11, type: "zombie after" }],
  },
  "a resumed run took over the last attempt of a step that got no other because it had lost a race": {
    ...NO_FAULTS,
    program: {
      kind: "first",
      id: 3,
      parts: [
        { ...STEP, id: 4, name: "s4", ms: 1459, failures: 3 },
        { ...STEP, id: 5, name: "s5", failures: 3 },
      ],
      cancelLosers: true,
    },
    resume: 1,
  },
  "a wait of no time took over its outcome of the parent after it had lost a race": {
    ...NO_FAULTS,
    program: {
      kind: "sequence",
      id: 0,
      parts: [
        { kind: "stream", id: 8, chunks: 3 },
        {
          kind: "first",
          id: 10,
          parts: [
            { ...STEP, id: 11, name: "s11", once: true },
            { kind: "wait", id: 13, on: "signal", name: "b", ms: 0, even: undefined },
          ],
          cancelLosers: true,
        },
      ],
    },
    resume: 2,
  },
  "a branch called ctx.compensate after the function had ended, while shielded code executed": {
    ...NO_FAULTS,
    program: {
      kind: "race",
      id: 0,
      parts: [
        {
          kind: "any",
          id: 1,
          parts: [
            {
              kind: "cleanup",
              id: 2,
              parts: [
                { kind: "release", id: 3, on: "signal", name: "a", ms: -1 },
                { ...STEP, id: 5, name: "c5", ms: 1041 },
              ],
            },
            { ...STEP, id: 7, name: "same" },
          ],
        },
        {
          kind: "settling",
          id: 16,
          parts: [
            { ...STEP, id: 17, name: "same", ms: 1451 },
            { kind: "sleep", id: 18, ms: 426 },
            { kind: "undo", id: 19 },
          ],
        },
      ],
    },
  },
  "a cancel came while ctx.compensate waited for shielded code": {
    ...NO_FAULTS,
    program: {
      kind: "settled",
      id: 0,
      parts: [
        {
          kind: "cleanup",
          id: 1,
          parts: [
            { ...STEP, id: 3, name: "c3" },
            { ...STEP, id: 4, name: "c4", ms: 1552 },
          ],
        },
        {
          kind: "late",
          id: 5,
          parts: [
            { kind: "throw", id: 7 },
            { kind: "wait", id: 9, on: "signal", name: "a", ms: 684, even: undefined },
            { kind: "undo", id: 11 },
          ],
        },
      ],
    },
    actions: [{ afterMs: 861, run: 0, act: { type: "cancel" } }],
  },
  "a resumed run took over that a step had lost a race whose winner executed again": {
    ...NO_FAULTS,
    program: {
      kind: "first",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", failures: 3 },
        { ...STEP, id: 3, name: "s3" },
      ],
    },
    resume: 1,
  },
  "a cancel during the compensation of a group lost the remaining compensations": {
    ...NO_FAULTS,
    program: {
      kind: "try",
      id: 0,
      parts: [
        {
          kind: "group",
          id: 1,
          parts: [
            { ...STEP, id: 2, name: "first", undo: "late" },
            { ...STEP, id: 3, name: "second", undo: "slowly" },
            { kind: "throw", id: 4 },
          ],
        },
      ],
    },
    actions: [{ afterMs: 100, run: 0, act: { type: "cancel" } }],
  },
  "an outcome after a retry overtook a long computation on replay": {
    ...NO_FAULTS,
    program: {
      kind: "settled",
      id: 0,
      parts: [
        { kind: "pure", id: 1, ticks: 43 },
        { ...STEP, id: 2, name: "s2", failures: 1 },
      ],
    },
  },
  "an execution at the end of a pipe stopped after an answer without new entries": {
    ...NO_FAULTS,
    program: { kind: "sleep", id: 0, ms: 1522 },
    remote: "always",
  },
  "a function that requested an operation late got a whole event-loop turn on replay": {
    ...NO_FAULTS,
    program: {
      kind: "sequence",
      id: 0,
      parts: [
        { kind: "pure", id: 1, ticks: 23 },
        {
          kind: "all",
          id: 2,
          parts: [
            { ...STEP, id: 3, name: "s3" },
            { kind: "pure", id: 4, ticks: 47 },
          ],
        },
      ],
    },
  },
  "a pause of an unwinding run dropped its error": {
    ...NO_FAULTS,
    program: {
      kind: "race",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", undo: "late" },
        { ...STEP, id: 2, name: "s2", ms: 1602 },
      ],
    },
    actions: [
      { afterMs: 374, run: 0, act: { type: "cancel" } },
      { afterMs: 74, run: 0, act: { type: "pause" } },
    ],
  },
  "an answer to a token that timed out in the same transition was an internal error": {
    ...NO_FAULTS,
    program: { kind: "token", id: 1, ms: 945 },
    actions: [
      { afterMs: 1036, run: 0, act: { type: "zombie" } },
      { afterMs: 642, run: 0, act: { type: "token" } },
    ],
    faults: [{ at: 0, type: "alarm", fault: "lost" }],
  },
  "a change of metadata just before a failure was lost": {
    ...NO_FAULTS,
    program: {
      kind: "sequence",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", undo: "works" },
        { kind: "metadata", id: 2 },
        { kind: "throw", id: 3 },
      ],
    },
  },
  "a branch that called ctx.compensate after the function had ended stopped the run": {
    ...NO_FAULTS,
    remote: "always",
    program: {
      kind: "race",
      id: 0,
      parts: [
        {
          kind: "group",
          id: 1,
          parts: [
            { ...STEP, id: 2, name: "s2", undo: "fails" },
            { kind: "throw", id: 3 },
          ],
        },
        {
          kind: "race",
          id: 4,
          parts: [
            {
              kind: "sequence",
              id: 5,
              parts: [
                { ...STEP, id: 6, name: "s6", ms: 1956 },
                { kind: "undo", id: 7 },
              ],
            },
            { kind: "metadata", id: 8 },
          ],
        },
      ],
    },
  },
  "the id of a detached child overtook a long computation on replay": {
    ...NO_FAULTS,
    program: {
      kind: "parallel",
      id: 0,
      parts: [
        { kind: "pure", id: 1, ticks: 44 },
        { kind: "child", id: 2, detach: true, body: { kind: "pure", id: 3, ticks: 53 } },
      ],
    },
  },
  "a second cancel of a run whose code had changed left failed compensations out of the list": {
    ...NO_FAULTS,
    program: {
      kind: "try",
      id: 1,
      parts: [
        {
          kind: "sequence",
          id: 2,
          parts: [
            { ...STEP, id: 3, name: "same", ms: 364, undo: "late" },
            { kind: "sleep", id: 4, ms: 788 },
            { ...STEP, id: 5, name: "s5", once: true, undo: "fails" },
          ],
        },
        {
          kind: "sequence",
          id: 6,
          parts: [
            { ...STEP, id: 7, name: "s7", failures: 1 },
            { ...STEP, id: 8, name: "same", ms: 1537, timeoutMs: 500 },
          ],
        },
      ],
    },
    actions: [
      { afterMs: 1470, run: 1, act: { type: "deliver", on: "signal", name: "a", delivery: 1 } },
      { afterMs: 1411, run: 2, act: { type: "deliver", on: "signal", name: "a", delivery: 2 } },
      { afterMs: 186, run: 2, act: { type: "cancel" } },
      { afterMs: 278, run: 0, act: { type: "change code" } },
      { afterMs: 1210, run: 1, act: { type: "cancel" } },
    ],
    faults: [{ at: 24, type: "crash after" }],
  },
  "a race had a winner that the run took over, and its wait opened afterwards": {
    ...NO_FAULTS,
    program: {
      kind: "parallel",
      id: 0,
      parts: [
        { ...STEP, id: 3, name: "same" },
        {
          kind: "sequence",
          id: 5,
          parts: [
            { ...STEP, id: 6, name: "s6", undo: "works", throws: "fatal" },
            {
              kind: "first",
              id: 7,
              parts: [
                { ...STEP, id: 9, name: "s9" },
                { kind: "sleep", id: 10, ms: 1776 },
              ],
              cancelLosers: true,
            },
          ],
        },
        {
          kind: "sequence",
          id: 11,
          parts: [
            {
              kind: "first",
              id: 12,
              parts: [
                { ...STEP, id: 13, name: "s13", ms: 489, deaths: 2 },
                { kind: "child", id: 15, detach: false, body: { ...STEP, id: 16, name: "s16", odd: 5 } },
              ],
              cancelLosers: true,
            },
            {
              kind: "sequence",
              id: 17,
              parts: [
                { kind: "release", id: 18, on: "event", name: "b", ms: 138 },
                { ...STEP, id: 19, name: "s19", ms: 1894 },
              ],
            },
          ],
        },
      ],
    },
    actions: [{ afterMs: 824, run: 1, act: { type: "cancel" } }],
    resume: 3,
  },
  "several retries followed one another while the record was read": {
    ...NO_FAULTS,
    program: {
      kind: "late",
      id: 0,
      parts: [
        { ...STEP, id: 1, name: "s1", failures: 2 },
        {
          kind: "shared",
          id: 6,
          parts: [
            { ...STEP, id: 7, name: "s7", failures: 3 },
            { ...STEP, id: 8, name: "s8", failures: 2 },
          ],
        },
      ],
    },
  },
  "the second answer to the start of a child arrived with the time-out that ended the wait for it": {
    ...NO_FAULTS,
    program: {
      kind: "parallel",
      id: 1,
      parts: [
        {
          kind: "first",
          id: 2,
          parts: [
            {
              kind: "child",
              id: 3,
              detach: false,
              body: {
                kind: "first",
                id: 4,
                parts: [
                  { kind: "sleep", id: 6, ms: 2512 },
                  { kind: "child", id: 7, detach: false, body: { kind: "token", id: 9, ms: 2469 } },
                ],
                cancelLosers: true,
              },
            },
            { kind: "sleep", id: 11, ms: 1494 },
          ],
          cancelLosers: true,
        },
        { kind: "reuse", id: 13, name: "b", ms: 949 },
      ],
    },
    actions: [
      { afterMs: 547, run: 0, act: { type: "deliver", on: "signal", name: "a", delivery: 1 } },
      { afterMs: 1285, run: 0, act: { type: "deliver", on: "event", name: "c", delivery: 0 } },
      { afterMs: 798, run: 3, act: { type: "terminate" } },
    ],
    faults: [
      { at: 0, type: "crash after" },
      { at: 1, type: "alarm", fault: "late" },
      { at: 0, type: "message", fault: "answer lost" },
    ],
  },
  "a cancelled run whose code changes in its clean-up code and that is cancelled again": {
    ...NO_FAULTS,
    program: {
      kind: "cleanup",
      id: 1,
      parts: [
        { ...STEP, id: 3, name: "same", ms: 213, failures: 0, once: false, undo: "late" },
        { ...STEP, id: 5, name: "c5", ms: 1864, failures: 2, once: false, undo: "none" },
      ],
    },
    remote: "never",
    actions: [
      { afterMs: 846, run: 2, act: { type: "cancel" } },
      { afterMs: 1355, run: 0, act: { type: "token" } },
      { afterMs: 822, run: 3, act: { type: "change code" } },
      { afterMs: 1052, run: 2, act: { type: "cancel" } },
    ],
    faults: [],
  },
  "a run whose token and time budget are both due before its alarm": {
    ...NO_FAULTS,
    program: { kind: "token", id: 1, ms: 2265 },
    timeoutMs: 2756,
    remote: "never",
    actions: [
      { afterMs: 809, run: 3, act: { type: "deliver", on: "event", name: "b", delivery: 0 } },
      { afterMs: 1042, run: 1, act: { type: "deliver", on: "signal", name: "c", delivery: 1 } },
      { afterMs: 982, run: 0, act: { type: "evict" } },
    ],
    faults: [{ at: 0, type: "alarm", fault: "lost" }],
  },
  "an answer that was buffered after the clock was set back, after a signal that was buffered before": {
    ...NO_FAULTS,
    program: { kind: "token", id: 11, ms: 1744 },
    remote: "never",
    actions: [
      { afterMs: 576, run: 2, act: { type: "pause" } },
      { afterMs: 971, run: 2, act: { type: "deliver", on: "signal", name: "b", delivery: 1 } },
      { afterMs: 1175, run: 2, act: { type: "set back", ms: 8900 } },
      { afterMs: 600, run: 3, act: { type: "token" } },
      { afterMs: 472, run: 2, act: { type: "token" } },
      { afterMs: 887, run: 3, act: { type: "deliver", on: "event", name: "b", delivery: 2 } },
    ],
    faults: [],
  },
};
