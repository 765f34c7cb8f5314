import { describe, expect, test } from "vitest";
import {
  DEFAULT_RETRY,
  DEFAULT_LIMITS,
  LIMITS,
  WorkflowIndex,
  checkFields,
  describeOperation,
  idProblem,
  isOutcome,
  nameProblem,
  operationId,
  parseDurationMs,
  parseOperationId,
  parseTimeMs,
  resolveRetry,
} from "../src/index.ts";

describe("durations and dates", () => {
  test.each([
    [0, 0],
    [1.2, 2],
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["1w", 604_800_000],
  ])("RUN7 %j is a duration of %d ms", (text, ms) => {
    expect(parseDurationMs(text, "x")).toBe(ms);
  });

  test.each([
    "1.5h",
    "-1s",
    "",
    "s",
    "5",
    "5 m",
    "5M",
    "1h30m",
    "11y",
    "99999999999999999s",
    -1,
    Number.NaN,
    Infinity,
    null,
    undefined,
    {},
    true,
    "600w",
  ])("RUN7 %j is rejected as a duration, with the name of the argument", (value) => {
    expect(() => parseDurationMs(value, "here")).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT", message: expect.stringMatching(/^here: /) }),
    );
  });

  test("RUN7 a date is a Date object or ISO 8601 text; all other values are rejected", () => {
    expect(parseTimeMs(new Date(5), "x")).toBe(5);
    expect(parseTimeMs("1970-01-01T00:00:01Z", "x")).toBe(1_000);
    expect(parseTimeMs("1970-01-02", "x")).toBe(86_400_000);
    for (const value of ["tomorrow", "1 Jan 2027", "", 5, null, new Date(Number.NaN), "2027-13-01"]) {
      expect(() => parseTimeMs(value, "here")).toThrow(/^here: .* is not a date/);
    }
  });
});

describe("names", () => {
  test.each(["constructor", "__proto__", "a/b", " ", "x".repeat(256), "é".repeat(128), "😀".repeat(64)])(
    "RUN8 %j is a valid name",
    (name) => {
      expect(nameProblem(name)).toBeUndefined();
    },
  );

  test.each([
    ["", /empty/],
    ["x".repeat(257), /256/],
    ["é".repeat(129), /256/],
    ["€".repeat(86), /256/],
    ["\ud800", /Unicode/],
    [5, /string/],
    [undefined, /string/],
  ])("RUN8 %j is not a valid name", (name, problem) => {
    expect(nameProblem(name)).toMatch(problem);
    expect(idProblem(name)).toMatch(problem);
  });

  test.each(["a\nb", "\u0000", "\u007f", "\u0085"])(
    "RUN8 %j is not a valid id, because it contains a control character",
    (id) => {
      expect(nameProblem(id)).toBeUndefined();
      expect(idProblem(id)).toMatch(/control/);
    },
  );

  test("REP3 an operation id contains kind, occurrence and name, whatever the name contains", () => {
    for (const name of ["charge", "a/b/0", "", "__proto__"]) {
      const id = operationId("step", 3, name);
      expect(parseOperationId(id)).toEqual({ kind: "step", occurrence: 3, name });
    }
    expect(describeOperation("step/0/a")).toBe('step "a"');
    expect(describeOperation("signal/1/a")).toBe('signal "a" (use no. 2)');
    expect(describeOperation("sleep/0/sleep")).toBe("sleep");
    expect(describeOperation("run/0/w")).toBe('child run of "w"');
    expect(describeOperation("compensation/0/a")).toBe('compensation of step "a"');
    expect(describeOperation("unwind/0/run")).toBe("the unwinding of the run");
  });
});

describe("retry policies", () => {
  test("STEP2 the default is 3 attempts, exponential from 1 s, at most 60 s", () => {
    expect(DEFAULT_RETRY).toEqual({ max: 3, backoff: "exponential", initialMs: 1_000, maxDelayMs: 60_000 });
    expect(resolveRetry(undefined, DEFAULT_RETRY, "x")).toBe(DEFAULT_RETRY);
    expect(resolveRetry({ initial: "2s", maxDelay: "5m", backoff: "fixed" }, DEFAULT_RETRY, "x")).toEqual({
      max: 3,
      backoff: "fixed",
      initialMs: 2_000,
      maxDelayMs: 300_000,
    });
  });

  test.each([
    { max: 0 },
    { max: 1.5 },
    { max: LIMITS.stepAttempts + 1 },
    { backoff: "random" },
    { initial: "soon" },
    { initial: "2m", maxDelay: "1m" },
    { times: 3 },
    [],
    null,
    5,
  ])("RUN7 the policy %j is rejected", (policy) => {
    expect(() => resolveRetry(policy as never, DEFAULT_RETRY, "here")).toThrow(/^here/);
  });

  test("RUN7 the error for an unknown field names it and the known fields", () => {
    expect(() => checkFields({ timeuot: 1 }, ["timeout", "once"], "here")).toThrow(
      "here.timeuot: unknown option. Known are: timeout, once.",
    );
  });
});

describe("workflows of a host", () => {
  const definition = (id: string, version: string | undefined, run: unknown): never =>
    ({ id, ...(version === undefined ? {} : { version }), run, execute: () => ({}) }) as never;

  test("RUN4 a run gets the code of its version, or code without one; a run without a version gets the newest code", () => {
    const index = new WorkflowIndex<{ id: string; version?: string; run: unknown; execute: never }>([
      definition("w", "1", 1),
      definition("w", "2", 2),
      definition("any", undefined, 3),
    ]);
    expect(index.find("w", "1")?.run).toBe(1);
    expect(index.find("w", undefined)?.run).toBe(2);
    expect(index.find("w", "3")).toBeUndefined();
    expect(index.find("any", "3")?.run).toBe(3);
    expect(index.find("constructor", undefined)).toBeUndefined();
    expect(index.all).toHaveLength(3);
  });

  test("RUN7 a value that is not a list, and an item that is not a workflow, are rejected by name", () => {
    const listed = (workflows: unknown) => () => new WorkflowIndex(workflows as never);
    expect(listed({ w: definition("w", "1", 1) })).toThrow("workflows: must be a list of what workflow() returned.");
    expect(listed([definition("w", "1", 1), undefined])).toThrow("workflows[1]: is not what workflow() returned.");
    expect(listed([{ id: "w", run: () => 1 }])).toThrow("workflows[0]: is not what workflow() returned.");
  });

  test("RUN8 two functions with the same id and version are rejected with the names of both", () => {
    const anonymous = (
      () => () =>
        1
    )();
    expect(
      () => new WorkflowIndex([definition("w", "1", function charge() {}), definition("w", "1", anonymous)]),
    ).toThrow(
      'workflows[0] (function charge) and workflows[1] (a function without a name) both have the id "w" and the version "1"',
    );
    expect(() => new WorkflowIndex([definition("w", undefined, 1), definition("w", undefined, 2)])).toThrow(
      /both have the id "w"\. /,
    );
  });
});

test("J2 entries that settle an operation are outcomes, and earlier entries are not", () => {
  const types = [
    "step.started",
    "step.retrying",
    "wait.opened",
    "step.completed",
    "step.failed",
    "wait.resolved",
    "wait.timed_out",
  ] as const;
  expect(types.filter((type) => isOutcome({ type }))).toEqual([
    "step.completed",
    "step.failed",
    "wait.resolved",
    "wait.timed_out",
  ]);
});

test("LIM1 each limit is a positive whole number", () => {
  for (const [name, value] of Object.entries({ ...LIMITS, ...DEFAULT_LIMITS }))
    expect([name, Number.isSafeInteger(value) && value > 0]).toEqual([name, true]);
});
