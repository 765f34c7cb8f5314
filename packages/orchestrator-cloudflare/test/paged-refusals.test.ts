/** tests: how long a refusal of pages by the other side of a pipe is remembered (REP6) */
import {
  type ErrorValue,
  type ExecutionPort,
  type ExecutionStart,
  type LiveExecution,
  PAGED_PROTOCOL_VERSION,
} from "@holdfast/protocol";
import { expect, test } from "vitest";
import { inPages } from "../src/dispatch/paged-execution.ts";

const MINUTE = 60_000;

const mismatch: ErrorValue = { name: "HoldfastError", code: "PROTOCOL_MISMATCH", message: "another version" };

/** The other side. `refuses`: the versions of the protocol that it does not know. */
function pipe(refuses: Set<number>) {
  const begun: (number | undefined)[] = [];
  const lost: ErrorValue[] = [];
  const clock = { now: 1_000_000 };
  const begin = ({ protocol }: ExecutionStart, port: ExecutionPort): LiveExecution => {
    begun.push(protocol);
    if (refuses.has(protocol ?? 1)) port.lost(mismatch);
    else {
      report = (): unknown => port.report({} as Parameters<ExecutionPort["report"]>[0]);
      report();
    }
    return { update: () => {}, abort: () => {} };
  };
  /** One more report of the newest execution that was accepted. */
  let report = (): unknown => undefined;
  const dispatcher = inPages(begin, () => clock.now);
  const start = (): void => {
    const more = dispatcher.readsPages("w", undefined) === false ? undefined : { after: 1 };
    const port = { report: () => ({}), readPage: () => [], lost: (error: ErrorValue) => lost.push(error) };
    dispatcher.start({ protocol: 1, journal: [], more } as unknown as ExecutionStart, port as unknown as ExecutionPort);
  };
  return { begun, lost, clock, start, dispatcher, report: () => report() };
}

test("REP6 a side that refuses pages and takes the whole journal gets whole journals for ten minutes", () => {
  const refuses = new Set([PAGED_PROTOCOL_VERSION]);
  const { begun, lost, clock, start, dispatcher } = pipe(refuses);
  start();
  start();
  expect(begun).toEqual([PAGED_PROTOCOL_VERSION, 1, 1]);
  expect(dispatcher.readsPages("w", undefined)).toBe(false);
  // It was updated.
  refuses.clear();
  clock.now += 10 * MINUTE;
  expect(dispatcher.readsPages("w", undefined)).toBe("later");
  start();
  expect(begun.slice(3)).toEqual([PAGED_PROTOCOL_VERSION]);
  expect(lost).toEqual([]);
});

test("REP6 a long execution of a side that refused pages makes the refusal last no longer", () => {
  const { clock, start, dispatcher, report } = pipe(new Set([PAGED_PROTOCOL_VERSION]));
  start();
  clock.now += 6 * MINUTE;
  report();
  clock.now += 4 * MINUTE;
  expect(dispatcher.readsPages("w", undefined)).toBe("later");
});

test("REP6 a side that refuses the whole journal, too, says nothing about pages", () => {
  const { lost, dispatcher, start } = pipe(new Set([PAGED_PROTOCOL_VERSION, 1]));
  start();
  expect(lost).toEqual([mismatch]);
  expect(dispatcher.readsPages("w", undefined)).toBe("later");
});

test("REP6 a clock that is set back makes a refusal last no longer", () => {
  const { clock, dispatcher, start } = pipe(new Set([PAGED_PROTOCOL_VERSION]));
  clock.now += 1_000 * MINUTE;
  start();
  clock.now -= 1_000 * MINUTE;
  expect(dispatcher.readsPages("w", undefined)).toBe("later");
});
