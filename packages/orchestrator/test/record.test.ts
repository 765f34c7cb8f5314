import { HOST_LIMITS, type JournalEntry, encodeValue, errorValue } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { type RunHeader, describeEntry, describeRun, summarizeRun } from "../src/index.ts";
import { Bench } from "./bench.ts";

/** A small graph of objects with very many paths. */
function graph(levels: number): unknown {
  return Array.from({ length: levels }).reduce<unknown>((inner) => [inner, inner], "x");
}

test("LIM1 all values of a summary, and those of a page of the journal, share one budget", () => {
  const many = encodeValue(graph(22), "it");
  const metadata = ["a", "b", "c"].map((key): [string, string] => [key, many]);
  const waits = header.waits.map((wait) => ({ ...wait, match: many }));
  const summary = JSON.stringify(summarizeRun({ ...header, metadata, waits, tenantMeta: many }));
  expect(summary.length).toBeLessThan(1.5 * HOST_LIMITS.jsonChars);
  const change = { type: "set", key: "k", value: many } as const;
  const budget = { chars: 100_000 };
  const entry = {
    v: 1,
    seq: 1,
    at: 0,
    asked: 1,
    nth: 1,
    op: "metadata/0/k",
    type: "metadata.changed",
    change,
  } as const;
  expect(JSON.stringify(describeEntry(entry, budget)).length).toBeLessThan(200_000);
});

const header: RunHeader = {
  v: 1,
  id: "r",
  status: "running",
  workflowId: "w",
  input: "[1]",
  tags: [],
  environment: "test",
  tenantMeta: encodeValue({ organization: "acme" }, "x"),
  triggeredBy: "parent",
  parent: { runId: "p", op: "run/0/w", detached: false },
  seed: "secret-seed",
  number: 1,
  resumedBy: ["later"],
  createdAt: 1,
  updatedAt: 5,
  epoch: 2,
  asked: 9,
  unwinding: { cause: "failure", error: { ...errorValue("FATAL", "no"), category: "USER_ERROR" } },
  error: { ...errorValue("FATAL", "no"), category: "USER_ERROR", step: "step/0/charge" },
  uncompensated: [{ op: "step/1/charge", error: errorValue("FATAL", "stuck") }],
  metadata: [["count", "[3]"]],
  streams: [
    { op: "stream/0/open", generation: 2 },
    { op: "stream/0/done", generation: 1, chunks: 7 },
  ],
  waits: [
    { op: "sleep/0/sleep", nth: 1, kind: "DATETIME", name: "sleep", openedAt: 1, wakeAt: 9 },
    { op: "event/0/paid", nth: 2, kind: "EVENT", name: "paid", openedAt: 1 },
    { op: "signal/0/go", nth: 3, kind: "SIGNAL", name: "go", openedAt: 1 },
    { op: "token/0/token", nth: 4, kind: "MANUAL", name: "token", openedAt: 1, tokenId: "t" },
    { op: "run/0/child", nth: 5, kind: "RUN", name: "child", openedAt: 1, runId: "r.child.0" },
  ],
  inbox: { count: 0, chars: 0, next: 1 },
  deliveryIds: 0,
  outbox: { count: 0, next: 1, failures: 0 },
};

const place = { v: 1, at: 10, asked: 1, nth: 1, startedAt: 2 };
const journal: JournalEntry[] = [
  { ...place, seq: 1, type: "step.started", op: "step/0/once" },
  {
    ...place,
    seq: 2,
    type: "step.retrying",
    op: "step/0/flaky",
    attempt: 1,
    retryAt: 99,
    error: { name: "E", message: "m", data: "[1]" },
  },
  {
    ...place,
    seq: 3,
    type: "step.completed",
    op: "step/0/charge",
    attempt: 2,
    value: '[{"a":1},2]',
    compensable: true,
  },
  { ...place, seq: 4, type: "step.completed", op: "step/0/given", attempt: 0, value: "[1]", seeded: true },
  { ...place, seq: 5, type: "step.failed", op: "step/0/bad", attempt: 3, error: { name: "E", message: "m" } },
  { ...place, seq: 6, type: "wait.opened", op: "token/0/token", tokenId: "t" },
  { ...place, seq: 7, type: "wait.resolved", op: "signal/0/go", value: "[null]", deliveryId: "d" },
  { ...place, seq: 8, type: "child.ended", op: "run/0/a", outcome: { status: "completed", runId: "c", output: "[5]" } },
  {
    ...place,
    seq: 9,
    type: "child.ended",
    op: "run/0/b",
    outcome: { status: "failed", runId: "d", error: { name: "E", message: "m" } },
  },
  {
    ...place,
    seq: 10,
    type: "metadata.changed",
    op: "metadata/0/count",
    change: { type: "increment", key: "count", by: 3 },
  },
  {
    ...place,
    seq: 11,
    type: "metadata.changed",
    op: "metadata/0/list",
    change: { type: "append", key: "list", value: "[4]" },
  },
  { ...place, seq: 12, type: "step.completed", op: "step/1/charge", attempt: 1, value: "[1]", compensable: true },
  {
    ...place,
    seq: 13,
    type: "step.failed",
    op: "compensation/1/charge",
    attempt: 3,
    error: { name: "E", message: "stuck" },
  },
  { ...place, seq: 14, type: "step.completed", op: "compensation/0/charge", attempt: 1, value: "-1" },
  { ...place, seq: 15, type: "step.completed", op: "compensation/9/not-shown", attempt: 1, value: "-1" },
];

test("SEC4 a record shows all that a reader may see, without the seed", () => {
  const inProgress = [
    { op: "step/0/flaky", attempt: 2, startedAt: 50 },
    { op: "step/0/charge", attempt: 9, startedAt: 50 },
    { op: "step/0/new", attempt: 1, startedAt: 50 },
  ];
  const record = describeRun(header, "[1]", journal, inProgress, () => 4);
  expect(JSON.stringify(record)).not.toContain("secret-seed");
  expect(record).toMatchObject({
    id: "r",
    phase: "compensating",
    input: 1,
    updatedAt: 10,
    tenantMeta: { organization: "acme" },
    parent: { runId: "p", detached: false },
    resumedBy: ["later"],
    error: { category: "USER_ERROR", code: "FATAL", step: "charge" },
    uncompensated: [{ name: "charge", occurrence: 1, error: { message: "stuck" } }],
    metadata: { count: 3 },
    streams: { open: { chunks: 4, ended: false, generation: 2 }, done: { chunks: 7, ended: true, generation: 1 } },
    pendingWaitpoints: [
      { kind: "DATETIME", wakeAt: 9 },
      { kind: "EVENT", meta: { eventType: "paid" } },
      { kind: "SIGNAL", meta: { name: "go" } },
      { kind: "MANUAL", meta: { tokenId: "t" } },
      { kind: "RUN", meta: { workflowId: "child", runId: "r.child.0" } },
    ],
    steps: [
      { name: "once", status: "running" },
      { name: "flaky", status: "running", attempts: 2, startedAt: 2 },
      { name: "charge", status: "completed", output: { a: 2 }, compensation: { status: "completed", attempts: 1 } },
      { name: "given", status: "skipped" },
      { name: "bad", status: "failed", error: { message: "m" } },
      { name: "charge", occurrence: 1, compensation: { status: "failed", error: { message: "stuck" } } },
      { name: "new", status: "running", attempts: 1, startedAt: 50 },
    ],
  });
});

test("LIM1 a record that is too long is cut and marked as truncated", () => {
  const many = Array.from({ length: 1_001 }, (_, i): JournalEntry => ({
    ...place,
    seq: i + 1,
    type: "step.completed",
    op: `step/${i}/s`,
    attempt: 1,
    value: "[1]",
  }));
  const record = describeRun(header, "[1]", many, [], () => 0);
  expect([record.truncated, record.steps.length]).toEqual([true, 1_000]);
  const large = encodeValue("x".repeat(9_000_000), "x");
  const two = [0, 1].map((i): JournalEntry => ({
    ...place,
    seq: i + 1,
    type: "step.completed",
    op: `step/${i}/s`,
    attempt: 1,
    value: large,
  }));
  const cut = describeRun({ ...header, output: "[1]" }, "[1]", two, [], () => 0);
  expect(cut.truncated).toBe(true);
  expect(JSON.stringify(cut).length).toBeLessThan(17_000_000);
});

test("SEC4 journal entries are shown as plain JSON", () => {
  const shown = journal.map((entry) => describeEntry(entry, { chars: 10_000 }));
  expect(shown[1]).toMatchObject({
    seq: 2,
    type: "step.retrying",
    operation: { kind: "step", name: "flaky", occurrence: 0 },
    error: { data: 1 },
  });
  expect(shown[2]).toMatchObject({ value: { a: 2 } });
  expect(shown[5]).toMatchObject({ tokenId: "t" });
  expect(shown[7]).toMatchObject({ outcome: { status: "completed", output: 5 } });
  expect(shown[8]).toMatchObject({ outcome: { status: "failed", error: { message: "m" } } });
  expect(shown[9]).toMatchObject({ change: { type: "increment", by: 3 } });
  expect(shown[10]).toMatchObject({ change: { value: 4 } });
  // A reader draws operations in the order in which the function requested them.
  expect(shown.every(({ nth }) => nth === 1)).toBe(true);
  expect(JSON.stringify(shown)).not.toMatch(/"(?:v|quiet|op)":/);
});

test("RUN3 a summary omits fields that the run does not have", () => {
  const { unwinding: _u, parent: _p, error: _e, uncompensated: _c, tenantMeta: _t, ...rest } = header;
  const summary = summarizeRun({ ...rest, resumedBy: [], workflowVersion: "2" });
  expect(summary).toMatchObject({ phase: "forward", tenantMeta: null, workflowVersion: "2" });
  expect(Object.keys(JSON.parse(JSON.stringify(summary)) as object)).not.toContain("parent");
});

test("RUN3 a wait with a pattern shows the pattern", () => {
  const bench = new Bench();
  bench.trigger();
  bench.report({ type: "wait.opened", op: "event/0/e", nth: 1, match: encodeValue({ a: 1 }, "match") });
  bench.report({ type: "wait.opened", op: "event/1/e", nth: 2 });
  const record = describeRun(bench.header, "[1]", [], [], () => 0);
  expect(record.pendingWaitpoints).toMatchObject([
    { meta: { eventType: "e", match: { a: 1 } } },
    { meta: { eventType: "e" } },
  ]);
});

test("REP6 LIM1 the record reads the journal as it is listed, once, and has the time of the entry after the last one shown", () => {
  const entries = [1, 2, 3].map((seq): JournalEntry => ({
    v: 1,
    seq,
    at: 10 * seq,
    nth: seq,
    asked: seq,
    type: "step.completed",
    op: `step/${seq}/s`,
    attempt: 1,
    startedAt: 1,
    value: "[1]",
  }));
  const record = describeRun(header, "[1]", entries.values(), [], () => 0, 2);
  expect(record.steps.map(({ occurrence }) => occurrence)).toEqual([1, 2]);
  expect(record).toMatchObject({ truncated: true, updatedAt: 30 });
  expect(describeRun(header, "[1]", entries.values(), [], () => 0, 3)).not.toHaveProperty("truncated");
});
