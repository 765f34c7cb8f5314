/** tests: the draft and the host of a coordinator, with a small kind that counts */
import type { Address } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import { describe, expect, test } from "vitest";
import {
  type CoordinatorDraft,
  type CoordinatorHeader,
  CoordinatorHost,
  type CoordinatorMachine,
  type CoordinatorState,
  type SendResult,
} from "../src/index.ts";

interface Header extends CoordinatorHeader {
  readonly sum: number;
  readonly wakeAt?: number;
  readonly answers?: readonly string[];
}
type State = CoordinatorState<Header>;

/** Adds numbers. A message with `report` posts the sum, one with `ask` asks without storing. `erase` deletes the object. */
const counter: CoordinatorMachine<State> = {
  kind: "job",
  load: (store, header) => ({ header, store }),
  first: (common) => ({ ...common, sum: 0 }),
  nextAlarm: ({ wakeAt }) => wakeAt,
  message(draft: CoordinatorDraft<State>, message: { add?: number; report?: string; ask?: string; wakeAt?: number }) {
    if (message.add !== undefined) draft.change({ sum: draft.header.sum + message.add });
    if (message.wakeAt !== undefined) draft.change({ wakeAt: message.wakeAt });
    if (message.report !== undefined) draft.post({ kind: "run", name: message.report }, { sum: draft.header.sum });
    if (message.ask !== undefined) draft.ask({ kind: "run", name: message.ask }, { question: true });
    return { type: "acknowledged", answer: { sum: draft.header.sum } };
  },
  command(draft: CoordinatorDraft<State>, command: { erase?: true }) {
    if (draft.isNew) return { type: "refused", code: "not_found", message: "There is no such counter." };
    if (command.erase === true) draft.erase();
    return { type: "done", body: { sum: draft.header.sum } };
  },
  answered(draft, _message, result) {
    draft.change({ answers: [...(draft.header.answers ?? []), result.type] });
  },
  alarm(draft) {
    const { wakeAt: _, ...header } = draft.header;
    if (draft.header.wakeAt !== undefined && draft.header.wakeAt <= draft.now)
      draft.change({ ...header, wakeAt: undefined as never });
  },
};

class Counted {
  now = 1_000;
  readonly store = new MemoryStore();
  readonly sent: { to: Address; message: object; done: (result: SendResult) => void }[] = [];
  held = false;
  erased = 0;
  host = this.open();

  open(): CoordinatorHost {
    return (this.host = new CoordinatorHost({
      machine: counter,
      self: { kind: "job", name: "c" },
      store: this.store,
      clock: () => this.now,
      held: this.held,
      send: (to, message, done) => this.sent.push({ to, message, done }),
      erase: () => {
        this.erased += 1;
        this.store.clear();
      },
    }));
  }

  get rows(): string[] {
    return [...this.store.list("")].map(([key]) => key);
  }
}

describe("a coordinator", () => {
  test("CO3 reads and refusals of an object without rows store nothing and set no alarm", () => {
    const counted = new Counted();
    expect(counted.host.command({})).toMatchObject({ type: "refused", code: "not_found" });
    expect(counted.host.receive({})).toEqual({ type: "acknowledged", answer: { sum: 0 } });
    counted.host.alarm();
    expect(counted.rows).toEqual([]);
    expect(counted.store.alarm).toBeNull();
  });

  test("CO1 a message stays in the outbox until it is acknowledged, and is sent again by the alarm", () => {
    const counted = new Counted();
    counted.host.receive({ add: 2, report: "r1" });
    expect(counted.sent.map(({ message }) => message)).toEqual([{ sum: 2 }]);
    expect(counted.rows).toEqual(["header", "outbox/0000000001"]);
    counted.sent[0]?.done({ type: "unreachable" });
    counted.now = counted.store.alarm ?? 0;
    counted.host.alarm();
    expect(counted.sent).toHaveLength(2);
    counted.sent[1]?.done({ type: "acknowledged" });
    expect(counted.rows).toEqual(["header"]);
    expect(counted.host.header).toMatchObject({ answers: ["acknowledged"], outbox: { count: 0 } });
    expect(counted.store.alarm).toBeNull();
  });

  test("CO1 a message that an object finds when it is loaded is sent by the first input", () => {
    const counted = new Counted();
    counted.host.receive({ report: "r1" });
    counted.open();
    counted.host.command({});
    expect(counted.sent).toHaveLength(2);
  });

  test("CO2 the alarm is the earlier time of the machine and the outbox", () => {
    const counted = new Counted();
    counted.host.receive({ wakeAt: 90_000 });
    expect(counted.store.alarm).toBe(90_000);
    counted.host.receive({ report: "r1" });
    expect(counted.store.alarm).toBe(6_000);
    counted.sent[0]?.done({ type: "acknowledged" });
    expect(counted.store.alarm).toBe(90_000);
    counted.now = 90_000;
    counted.store.takeAlarm();
    counted.host.alarm();
    expect(counted.store.alarm).toBeNull();
  });

  test("CO1 a question is not stored, and its result is an input", () => {
    const counted = new Counted();
    counted.host.receive({ add: 1, ask: "r1" });
    expect(counted.rows).toEqual(["header"]);
    counted.sent[0]?.done({ type: "unreachable" });
    expect(counted.host.header).toMatchObject({ answers: ["unreachable"] });
  });

  test("DUR12 alarms of a deployment that is held do nothing, and fire again", () => {
    const counted = new Counted();
    counted.host.receive({ wakeAt: 5_000 });
    counted.held = true;
    counted.open();
    counted.now = 5_000;
    counted.host.alarm();
    expect(counted.host.header).toMatchObject({ wakeAt: 5_000 });
    expect(counted.store.alarm).toBe(65_000);
  });

  test("VER4 an object that newer code wrote is not changed, and its senders keep their messages", () => {
    const counted = new Counted();
    counted.host.receive({ add: 1 });
    const newer = { ...counted.host.header, v: 99 };
    counted.store.commit({ puts: new Map([["header", newer]]), deletes: new Set() });
    counted.open();
    expect(counted.host.receive({ add: 1 })).toEqual({ type: "unreachable" });
    expect(counted.host.command({})).toMatchObject({ code: "newer_format" });
    expect(counted.store.get("header")).toEqual(newer);
  });

  test("CO3 an erased object has no rows and begins again", () => {
    const counted = new Counted();
    counted.host.receive({ add: 1 });
    counted.host.command({ erase: true });
    expect(counted.erased).toBe(1);
    counted.open();
    expect(counted.host.receive({ add: 5 })).toMatchObject({ answer: { sum: 5 } });
  });

  test("CO1 a late result of the life before an erasure settles no message, and answers no question, of the next one", () => {
    const counted = new Counted();
    counted.host.receive({ add: 1, report: "r1", ask: "r2" });
    counted.now = counted.store.alarm ?? 0;
    counted.host.alarm();
    const [question, first, late] = counted.sent;
    first?.done({ type: "acknowledged" });
    counted.host.command({ erase: true });
    expect(counted.rows).toEqual([]);
    counted.host.receive({ add: 2, report: "r1" });
    for (const one of [question, late]) one?.done({ type: "acknowledged" });
    expect(counted.host.header).toMatchObject({ outbox: { count: 1 } });
    expect(counted.host.header).not.toHaveProperty("answers");
    expect(counted.rows).toEqual(["header", "outbox/0000000001"]);
    counted.sent.at(-1)?.done({ type: "acknowledged" });
    expect(counted.host.header).toMatchObject({ answers: ["acknowledged"], outbox: { count: 0 } });
  });
});
