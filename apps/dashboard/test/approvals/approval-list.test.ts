/**
 * The list of open asks: what stays in its place, what leaves, and what does not come back.
 */
import { beforeEach, expect, test, vi } from "vitest";
import type { ApprovalList } from "../../src/approvals/approval-list.ts";
import type { OpenAsk } from "../../src/approvals/approval.ts";

let list: ApprovalList;

beforeEach(async () => {
  // The session of the page is in the storage of a tab, which Node.js does not have.
  vi.stubGlobal("sessionStorage", { getItem: () => null });
  vi.stubGlobal("location", { origin: "http://127.0.0.1" });
  const { ApprovalList: List } = await import("../../src/approvals/approval-list.ts");
  list = new List(async () => ({ asks: [], hasMore: false }));
  return () => vi.unstubAllGlobals();
});

function ask(runId: string, until?: number): OpenAsk {
  const base = {
    runId,
    workflowId: "w",
    op: "token/0/token",
    tokenId: runId,
    title: runId,
    assignees: [],
    openedAt: 1,
  };
  return until === undefined ? base : { ...base, until: Date.now() + until };
}

function shown(): readonly string[] {
  return (list.rows.value ?? []).map(({ ask: { value }, isOpen }) => (isOpen ? value.title : `(${value.title})`));
}

const HOUR = 3_600_000;

test("asks are in the order of their deadlines, then of their age", () => {
  list.take([ask("d"), ask("b", 2 * HOUR), { ...ask("c"), openedAt: 0 }, ask("a", HOUR)], false);
  expect(shown()).toEqual(["a", "b", "c", "d"]);
});

test("DASH5 nothing moves while an ask is open on the page; new asks are counted, and shown when it is closed", () => {
  const [b, c] = [ask("b", 2 * HOUR), ask("c", 3 * HOUR)];
  list.take([b, c], false);
  list.hold("b");
  expect(list.take([ask("a", HOUR), c], false).map(({ ask: { value } }) => value.title)).toEqual(["b"]);
  expect([shown(), list.fresh.value.length, list.count.value]).toEqual([["b", "c"], 1, 3]);
  list.hold(undefined);
  expect([shown(), list.fresh.value.length]).toEqual([["a", "b", "c"], 0]);
});

test("LIST1 an ask that was closed on this page does not come back from an index that lists it still", () => {
  const a = ask("e1", HOUR);
  list.take([a], false);
  list.rows.value?.[0]?.close("You answered.");
  list.take([a], false);
  expect(shown()).toEqual(["(e1)"]);
  const [state] = list.rows.value ?? [];
  if (state !== undefined) state.closedAt -= 60_000;
  list.take([a], false);
  list.take([a], false);
  expect(shown()).toEqual([]);
});

test("LIST2 an ask after the last one that was read is not gone", () => {
  const [a, b, c] = [ask("f1", HOUR), ask("f2", 2 * HOUR), ask("f3", 3 * HOUR)];
  list.take([a, b, c], false);
  const gone = list.take([a], true);
  expect(gone).toEqual([]);
  expect(list.take([a, c], true).map(({ ask: { value } }) => value.title)).toEqual(["f2"]);
});

test("an ask past its deadline is closed by the clock, before the list is read again", () => {
  list.take([ask("g1", -1), ask("g2", HOUR)], false);
  list.expire();
  expect(shown()).toEqual(["(g1)", "g2"]);
  expect(list.count.value).toBe(1);
});

test("a closed row that has the focus stays, so that the keys of the reader have a place", () => {
  list.take([ask("h1", HOUR)], false);
  const [state] = list.rows.value ?? [];
  state?.close("Somebody else answered.");
  if (state !== undefined) state.closedAt -= 60_000;
  list.focused = JSON.stringify(["h1", "token/0/token", 1]);
  list.take([], false);
  expect(shown()).toEqual(["(h1)"]);
  list.focused = undefined;
  list.take([], false);
  expect(shown()).toEqual([]);
});
