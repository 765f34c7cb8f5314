/** tests: what the decision about a large report costs, in elements of arrays that it looks at */
import type { ExecutionEvent } from "@holdfast/protocol";
import { afterEach, expect, test, vi } from "vitest";
import { Bench, child, completed } from "./bench.ts";

/** Counts the elements of the arrays that methods search, until the test ends. */
function countSearched(): () => number {
  let count = 0;
  for (const method of ["some", "every", "find", "findIndex", "filter", "includes", "indexOf"] as const) {
    const search = Array.prototype[method] as (...given: unknown[]) => unknown;
    vi.spyOn(Array.prototype, method as "some").mockImplementation(function (this: unknown[], ...given) {
      count += this.length;
      return search.apply(this, given) as boolean;
    });
  }
  return () => count;
}

afterEach(() => vi.restoreAllMocks());

const EVENTS: Readonly<Record<string, (nth: number) => ExecutionEvent>> = {
  "ended steps": (nth) => completed(`s${nth}`),
  "steps that begin": (nth) => ({ type: "step.started", op: `step/0/s${nth}`, nth: 1, startedAt: 0 }),
  children: (nth) => child(`c${nth}`),
  "changes of metadata": (nth) => ({
    type: "metadata.changed",
    op: `metadata/${nth}/n`,
    nth: 1,
    change: { type: "increment", key: "n", by: 1 },
  }),
};

test.each(Object.entries(EVENTS))(
  "E2 an event of a report costs the same, however many others it has: %s",
  (_, make) => {
    const costOf = (n: number): number => {
      const bench = new Bench();
      bench.trigger();
      const events = Array.from({ length: n }, (_each, nth) => make(nth));
      const searched = countSearched();
      expect(bench.report(...events)).toMatchObject({ answer: { accepted: true } });
      const count = searched();
      vi.restoreAllMocks();
      expect(bench.host.state.lastSeq).toBe(n);
      return count / n;
    };
    expect(costOf(800)).toBeLessThan(2 * costOf(100) + 10);
  },
);
