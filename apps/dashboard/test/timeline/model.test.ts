/** The rows of the timeline, from pages of a journal and from the record. */
import { expect, test, vi } from "vitest";
import { TimelineModel } from "../../src/timeline/model.ts";
import { describeRow } from "../../src/timeline/row-text.ts";
import { TimelineState } from "../../src/timeline/state.ts";
import { T0, entry, longJournal } from "./journal.ts";

// Node warns about its own, which has no file.
vi.stubGlobal("localStorage", undefined);

const RUN = { id: "r", workflowId: "w", status: "running", createdAt: T0 };

test("T1 rows are in the order in which the function requested them, not in that of their outcomes", () => {
  const model = new TimelineModel();
  model.add([
    entry(1, 30, "step.completed", "step/0/b", { nth: 2, attempt: 1, startedAt: T0 }),
    entry(2, 90, "step.completed", "step/0/a", { nth: 1, attempt: 1, startedAt: T0 }),
    entry(3, 95, "wait.opened", "sleep/0/sleep", { nth: 3 }),
  ]);
  expect(model.rows.map(({ id }) => id)).toEqual(["step/0/a", "step/0/b", "sleep/0/sleep"]);
});

test("T1 a body that executes has no entry: the record gives it a row, which keeps its place when the entry arrives", () => {
  const model = new TimelineModel();
  model.add([entry(1, 10, "step.completed", "step/0/a", { nth: 1, attempt: 1, startedAt: T0 })]);
  model.setRun({ ...RUN, steps: [{ name: "b", occurrence: 0, status: "running", attempts: 1, startedAt: T0 + 11 }] });
  expect(model.rows[1]).toMatchObject({ id: "step/0/b", state: "running", spans: [{ from: T0 + 11, attempt: 1 }] });
  expect(model.rows[1]?.spans[0]?.to).toBeUndefined();
  model.add([entry(2, 40, "step.completed", "step/0/b", { nth: 2, attempt: 1, startedAt: T0 + 11 })]);
  expect(model.rows[1]).toMatchObject({ state: "completed", spans: [{ from: T0 + 11, to: T0 + 40 }] });
});

test("T2 each attempt is a span, and so is each delay between two", () => {
  const model = new TimelineModel();
  const error = { message: "declined" };
  model.add([
    entry(1, 10, "step.retrying", "step/0/charge", { nth: 1, attempt: 1, startedAt: T0, retryAt: T0 + 110, error }),
    entry(2, 150, "step.retrying", "step/0/charge", {
      nth: 1,
      attempt: 2,
      startedAt: T0 + 120,
      retryAt: T0 + 500,
      error,
    }),
    entry(3, 560, "step.failed", "step/0/charge", { nth: 1, attempt: 3, startedAt: T0 + 510, error }),
  ]);
  const [row] = model.rows;
  expect(row?.spans.map(({ kind, from, to }) => [kind, from - T0, (to ?? 0) - T0])).toEqual([
    ["attempt", 0, 10],
    ["delay", 10, 120],
    ["attempt", 120, 150],
    ["delay", 150, 510],
    ["attempt", 510, 560],
  ]);
  expect(row === undefined ? "" : describeRow(row)).toBe("Step charge: failed, 3 attempts");
});

test("T2 a wait is open until its outcome, and a compensation names its step", () => {
  const model = new TimelineModel();
  model.add([
    entry(1, 5, "wait.opened", "signal/0/approval", { nth: 1, wakeAt: T0 + 9_000 }),
    entry(2, 9, "step.failed", "compensation/0/hotel", { nth: 0, attempt: 1, startedAt: T0 + 6, error: {} }),
  ]);
  expect(model.rows[0]).toMatchObject({ state: "waiting", until: T0 + 9_000, spans: [{ kind: "wait" }] });
  expect(model.rows[1]).toMatchObject({ compensates: "step/0/hotel", state: "failed" });
  model.add([entry(3, 7_000, "wait.resolved", "signal/0/approval", { nth: 1, value: true })]);
  expect(model.rows[0]).toMatchObject({ state: "completed", until: undefined, spans: [{ to: T0 + 7_000 }] });
});

test("T2 what is open when the run ends is not finished, and ends with it", () => {
  const model = new TimelineModel();
  model.add([entry(1, 5, "wait.opened", "token/0/token", { nth: 1 })]);
  model.setRun({ ...RUN, status: "cancelled", endedAt: T0 + 80 });
  expect(model.rows[0]).toMatchObject({ state: "not finished", spans: [{ to: T0 + 80, state: "not finished" }] });
});

test("T2 a child keeps the id of its run, a detached child is a moment", () => {
  const model = new TimelineModel();
  model.add([
    entry(1, 5, "child.started", "run/0/ship", { nth: 1, runId: "c1" }),
    entry(2, 6, "child.started", "run/0/mail", { nth: 2, runId: "c2", detached: true }),
    entry(3, 99, "child.ended", "run/0/ship", { nth: 1, outcome: { status: "failed", runId: "c1", error: {} } }),
  ]);
  expect(model.rows).toMatchObject([
    { childRunId: "c1", state: "failed", spans: [{ kind: "child", from: T0 + 5, to: T0 + 99 }] },
    { childRunId: "c2", state: "completed", spans: [{ kind: "instant" }] },
  ]);
});

test("T7 an outcome that a resumed run takes over is a moment, and no attempt of this run", () => {
  const model = new TimelineModel();
  const error = { message: "declined" };
  model.add([
    entry(1, 10, "step.completed", "step/0/a", { nth: 1, attempt: 1, startedAt: T0 - 900, value: 1 }),
    entry(2, 11, "step.failed", "step/0/b", { nth: 2, attempt: 3, startedAt: T0 - 800, error }),
    entry(3, 40, "step.completed", "step/0/c", { nth: 3, attempt: 1, startedAt: T0 + 12, value: 2 }),
  ]);
  model.setRun({ ...RUN, resumedFrom: { runId: "before" } });
  expect(model.rows.map(({ state, spans }) => [state, spans[0]?.kind, (spans[0]?.from ?? 0) - T0])).toEqual([
    ["taken over", "instant", 10],
    ["failed", "instant", 11],
    ["completed", "attempt", 12],
  ]);
});

test("T5 pages in any order, twice, give the rows of one page", () => {
  const journal = longJournal(1_000);
  const [whole, paged] = [new TimelineModel(), new TimelineModel()];
  whole.add(journal);
  for (const from of [750, 0, 500, 250, 500]) paged.add(journal.slice(from, from + 250));
  expect(paged.rows).toEqual(whole.rows);
  expect(paged.entryCount).toBe(1_000);
});

test("T5 a page builds only the rows that it is about", () => {
  const model = new TimelineModel();
  model.add(longJournal(5_000));
  const before = model.built;
  model.add([entry(5_001, 60_000, "step.completed", "step/0/last", { nth: 5_001, attempt: 1, startedAt: T0 })]);
  expect(model.built - before).toBe(1);
});

test("T5 earlier entries, and later ones, build only the rows that they are about", () => {
  const journal = longJournal(3_000);
  const state = new TimelineState();
  state.update({ run: RUN, entries: journal.slice(2_000) });
  state.update({ run: RUN, entries: journal.slice(500, 2_900).concat(journal.slice(2_900)) });
  state.update({ run: RUN, entries: journal });
  expect(state.layout(RUN, T0 + 60_000).items.map(({ row }) => row.nth)).toEqual(journal.map(({ nth }) => nth));
  expect(state.built).toBe(3_000);
});

test("an entry of a type that newer code writes is a moment of its row", () => {
  const model = new TimelineModel();
  model.add([entry(1, 5, "limit.acquired", "limit/0/gpu", { nth: 1 })]);
  expect(model.rows[0]).toMatchObject({ id: "limit/0/gpu", spans: [{ kind: "instant" }] });
});
