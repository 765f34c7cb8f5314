/**
 * Scenarios in which the simulator once found something, made small. They stay, by what they found.
 */
import type { Scenario } from "../src/index.ts";

const STEP = { kind: "step", ms: 0, failures: 0, once: false, undo: "none", timeoutMs: undefined } as const;

const QUIET = { timeoutMs: undefined, remote: "never", actions: [], faults: [], resume: undefined } as const;

export const FOUND: Record<string, Scenario> = {
  "a cancel that meets a group while it undoes a step lost the rest": {
    ...QUIET,
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
    ...QUIET,
    program: {
      kind: "settled",
      id: 0,
      parts: [
        { kind: "pure", id: 1, ticks: 43 },
        { ...STEP, id: 2, name: "s2", failures: 1 },
      ],
    },
  },
  "an execution at the end of a pipe stood still after an answer without news": {
    ...QUIET,
    program: { kind: "sleep", id: 0, ms: 1522 },
    remote: "always",
  },
  "a function that asked late was given a whole turn on replay": {
    ...QUIET,
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
  "a pause of a run that was being undone dropped its error": {
    ...QUIET,
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
  "a change of metadata just before a failure was lost": {
    ...QUIET,
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
  "a branch that asked to be undone after the function had ended stopped the run": {
    ...QUIET,
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
    ...QUIET,
    program: {
      kind: "parallel",
      id: 0,
      parts: [
        { kind: "pure", id: 1, ticks: 44 },
        { kind: "child", id: 2, detach: true, body: { kind: "pure", id: 3, ticks: 53 } },
      ],
    },
  },
};
