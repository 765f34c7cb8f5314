/** Journals for the tests of the timeline, in the shape of `/api/runs/:id/journal`. */
import type { Entry } from "../../src/timeline/entries.ts";

export const T0 = Date.UTC(2026, 0, 5, 9);

/** An entry; `op` is `kind/occurrence/name`, times are ms after `T0`. */
export function entry(seq: number, at: number, type: string, op: string, more: object = {}): Entry {
  const [kind = "", occurrence = "0", ...name] = op.split("/");
  return {
    seq,
    at: T0 + at,
    type,
    operation: { kind, occurrence: Number(occurrence), name: name.join("/") },
    ...more,
  };
}

/** `count` steps of 10 ms, one after the other, as a page of a long journal. */
export function longJournal(count: number): Entry[] {
  return Array.from({ length: count }, (_, index) =>
    entry(index + 1, index * 10 + 9, "step.completed", `step/0/item ${index}`, {
      nth: index + 1,
      attempt: 1,
      startedAt: T0 + index * 10,
      value: null,
    }),
  );
}
