import type { Address } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { OutboxSender, type SendResult } from "../src/index.ts";

interface Row {
  readonly to: string;
}

const keyOf = (position: number): string => `outbox/${String(position).padStart(10, "0")}`;

/** An outbox of rows in memory, which counts the rows that are read. */
class Outbox {
  readonly rows = new Map<string, Row>();
  readonly sent: { readonly to: string; readonly key: string; readonly done: (result: SendResult) => void }[] = [];
  rowsRead = 0;
  #next = 1;
  readonly sender = new OutboxSender<Row, SendResult>({
    list: ({ after = "", limit }) => {
      const listed = [...this.rows].filter(([key]) => key > after).slice(0, limit);
      this.rowsRead += listed.length;
      return listed;
    },
    read: (key) => {
      this.rowsRead += 1;
      return this.rows.get(key);
    },
    send: (to: Address, row, done) => {
      const [key = ""] = [...this.rows].find(([, one]) => one === row) ?? [];
      this.sent.push({ to: to.name, key, done });
    },
    sent: (key, result) => {
      if (result.type === "acknowledged") this.rows.delete(key);
    },
  });

  post(...to: string[]): void {
    for (const one of to) {
      this.rows.set(keyOf(this.#next), { to: one });
      this.#next += 1;
    }
  }

  /** The receivers of the messages that a call sends. */
  send(again = false): string[] {
    const before = this.sent.length;
    this.sender.send(again);
    return this.sent.slice(before).map(({ to }) => to);
  }

  acknowledge(index: number): void {
    this.sent[index]?.done({ type: "acknowledged" });
  }

  restart(): void {
    this.#next = 1;
  }
}

function many(count: number, to: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => to(i));
}

describe("the sender of an outbox", () => {
  test("CHILD4 messages that are not delivered to one address delay no other address", () => {
    const outbox = new Outbox();
    outbox.post(...many(65, () => "dead"), "alive");
    expect(outbox.send()).toEqual(["dead", "alive"]);
    outbox.post(...many(1_000, () => "dead"), "last");
    const sent: string[] = [];
    for (let calls = 0; calls < 5; calls++) {
      outbox.sent[0]?.done({ type: "unreachable" });
      sent.push(...outbox.send());
    }
    expect(sent).toEqual(["last"]);
  });

  test("CHILD4 an outbox has at most 16 messages in flight, and the next one follows each answer", () => {
    const outbox = new Outbox();
    outbox.post(...many(1_000, (i) => `run${i}`));
    expect(outbox.send()).toHaveLength(16);
    expect(outbox.send()).toEqual([]);
    for (let i = 0; i < 1_000; i++) {
      outbox.acknowledge(i);
      // Each host calls it after an acknowledgement.
      outbox.send();
      expect(outbox.sent).toHaveLength(Math.min(i + 17, 1_000));
    }
    expect(outbox.sent.map(({ to }) => to)).toEqual(many(1_000, (i) => `run${i}`));
  });

  test("CHILD4 messages that are never answered delay no others for longer than until messages are due again", () => {
    const outbox = new Outbox();
    outbox.post(...many(40, (i) => `silent${i}`), "alive");
    expect(outbox.send()).toHaveLength(16);
    expect(outbox.send(true)).toEqual(many(16, (i) => `silent${16 + i}`));
    expect(outbox.send(true).slice(0, 9)).toEqual([...many(8, (i) => `silent${32 + i}`), "alive"]);
  });

  test("CHILD4 a message in flight is not repeated at once while others are answered, and takes no place once it is late", () => {
    const outbox = new Outbox();
    outbox.post(...many(40, (i) => `run${i}`));
    outbox.send();
    outbox.acknowledge(0);
    expect(outbox.send(true)).toEqual(many(16, (i) => `run${17 + i}`));
    const silent = many(16, (i) => `run${1 + i}`);
    expect(outbox.send(true)).toEqual([...many(7, (i) => `run${33 + i}`), ...silent.slice(0, 9)]);
  });

  test("CHILD4 messages that failed make room, and are sent again when messages are due again", () => {
    const outbox = new Outbox();
    outbox.post(...many(20, (i) => `dead${i}`), "alive");
    outbox.send();
    for (let i = 0; i < 21; i++) outbox.sent[i]?.done({ type: "unreachable" });
    expect(outbox.sent.map(({ to }) => to)).toEqual([...many(20, (i) => `dead${i}`), "alive"]);
    expect(outbox.send()).toEqual([]);
    expect(outbox.send(true)).toEqual(many(16, (i) => `dead${i}`));
  });

  test("CHILD4 a send reads the new rows and those that it sends, however many are pending", () => {
    const outbox = new Outbox();
    outbox.post(...many(10_000, () => "dead"));
    outbox.send();
    expect(outbox.rowsRead).toBe(256);
    while (outbox.rowsRead < 10_000) outbox.send();
    outbox.rowsRead = 0;
    outbox.post("alive");
    expect(outbox.send()).toEqual(["alive"]);
    expect(outbox.rowsRead).toBe(1);
    expect(outbox.send(true)).toEqual(["dead", "alive"]);
    expect(outbox.rowsRead).toBe(3);
  });

  test("CHILD4 a late result of an earlier attempt leaves the next message in flight", () => {
    const outbox = new Outbox();
    outbox.post("a", "a", "a");
    outbox.send();
    outbox.send(true);
    outbox.acknowledge(0);
    expect(outbox.sent.map(({ key }) => key)).toEqual([1, 1, 2].map(keyOf));
    outbox.acknowledge(1);
    expect(outbox.send()).toEqual([]);
    outbox.acknowledge(2);
    expect(outbox.sent.at(-1)?.key).toBe(keyOf(3));
  });

  test("CHILD4 a row that was deleted without a result is skipped", () => {
    const outbox = new Outbox();
    outbox.post("a", "a");
    outbox.send();
    outbox.rows.delete(keyOf(1));
    outbox.send(true);
    expect(outbox.sent.map(({ key }) => key)).toEqual([1, 2].map(keyOf));
  });

  test("CHILD4 an outbox that was empty may use its keys again", () => {
    const outbox = new Outbox();
    outbox.post("a", "b");
    outbox.send();
    outbox.acknowledge(0);
    outbox.acknowledge(1);
    outbox.restart();
    outbox.post("c");
    expect(outbox.send()).toEqual(["c"]);
  });
});
