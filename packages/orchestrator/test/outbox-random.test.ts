/**
 * The sender of an outbox against a model: whatever happens in whatever order, each message is sent, in order, and none waits
 * for a dead receiver.
 */
import type { Address } from "@holdfast/protocol";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OutboxSender, type SendResult } from "../src/index.ts";

interface Row {
  readonly key: string;
  readonly to: string;
}

interface Attempt {
  readonly to: string;
  readonly key: string;
  /** How often messages were due again before. */
  readonly round: number;
  readonly done: (result: SendResult) => void;
}

const IN_FLIGHT_MAX = 16;

/** An outbox in memory. Each message that is sent is checked: none overtakes an earlier one to the same address. */
class Outbox {
  readonly rows = new Map<string, Row>();
  readonly pending: Attempt[] = [];
  readonly delivered = new Set<string>();
  /** The messages that have an answer since messages were last due again, of whichever attempt. */
  readonly answered = new Set<string>();
  round = 0;
  #next = 1;
  #sender = this.#newSender();

  #newSender(): OutboxSender<Row, SendResult> {
    return new OutboxSender<Row, SendResult>({
      list: ({ after = "", limit }) => [...this.rows].filter(([key]) => key > after).slice(0, limit),
      read: (key) => this.rows.get(key),
      send: ({ name }: Address, row, done) => {
        const { key } = row;
        expect(key).toBe(this.#oldestTo(name));
        this.pending.push({ to: name, key, round: this.round, done });
      },
      sent: (key, { type }) => {
        if (type === "unreachable" || !this.rows.delete(key)) return;
        this.delivered.add(key);
        if (this.rows.size > 0) this.#sender.send(false);
      },
    });
  }

  #oldestTo(address: string): string | undefined {
    for (const { key, to } of this.rows.values()) if (to === address) return key;
    return undefined;
  }

  /** Puts a message into the outbox. */
  put(to: string): void {
    const key = String(this.#next++).padStart(10, "0");
    this.rows.set(key, { key, to });
  }

  post(to: string): void {
    this.put(to);
    this.#sender.send(false);
  }

  again(): void {
    this.round += 1;
    this.answered.clear();
    this.#sender.send(true);
  }

  answer(nth: number, type: SendResult["type"]): void {
    const [attempt] = this.pending.splice(nth % this.pending.length, 1);
    if (attempt !== undefined) this.answered.add(attempt.key);
    attempt?.done(type === "refused" ? { type, error: { name: "E", message: "" } } : { type });
  }

  /** The messages without an answer that were sent since messages were last due again. */
  inFlight(): number {
    return this.pending.filter(
      ({ key, round }) => round === this.round && this.rows.has(key) && !this.answered.has(key),
    ).length;
  }

  /** The object loses its memory. Answers to what it sent before never come. */
  evict(): void {
    this.pending.length = 0;
    this.#sender = this.#newSender();
    this.#sender.send(false);
  }

  /** Another part of the object deletes a row. */
  remove(nth: number): void {
    const key = [...this.rows.keys()][nth % this.rows.size];
    if (key !== undefined) this.rows.delete(key);
  }
}

const nth = fc.nat(1_000);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ post: fc.nat(40), count: fc.integer({ min: 1, max: 30 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      answer: nth,
      type: fc.constantFrom("acknowledged", "acknowledged", "refused", "unreachable"),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ again: true }) },
  { weight: 1, arbitrary: fc.constant({ evict: true }) },
  { weight: 1, arbitrary: fc.record({ remove: nth }) },
);

test("CHILD4 whatever happens in whatever order, each message is sent, in order for each address", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const outbox = new Outbox();
      for (const one of steps) {
        if ("post" in one) for (let i = 0; i < one.count; i++) outbox.post(`run${(one.post + i) % 41}`);
        else if ("answer" in one) outbox.answer(one.answer, one.type);
        else if ("again" in one) outbox.again();
        else if ("evict" in one) outbox.evict();
        else outbox.remove(one.remove);
        expect(outbox.inFlight()).toBeLessThanOrEqual(IN_FLIGHT_MAX);
      }
      const left = [...outbox.rows.keys()];
      for (let round = 0; round < 8 && outbox.rows.size > 0; round++) {
        outbox.again();
        while (outbox.pending.length > 0) outbox.answer(0, "acknowledged");
      }
      expect(outbox.rows.size).toBe(0);
      for (const key of left) expect(outbox.delivered).toContain(key);
    }),
    { numRuns: 500 },
  );
});

test.each(["unreachable", "silent"] as const)(
  "CHILD4 few addresses among many that are %s wait for none of them",
  (dead) => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(999), { minLength: 1, maxLength: 12 }), (alive) => {
        const outbox = new Outbox();
        for (let i = 0; i < 1_000; i++) outbox.put(alive.includes(i) ? `alive${i}` : `dead${i}`);
        outbox.evict();
        const answers = (): void => {
          for (let at = 0; at < outbox.pending.length;) {
            const isAlive = outbox.pending[at]?.to.startsWith("alive") === true;
            if (isAlive || dead === "unreachable") outbox.answer(at, isAlive ? "acknowledged" : "unreachable");
            else at += 1;
          }
        };
        answers();
        while (outbox.delivered.size < alive.length) {
          expect(outbox.round).toBeLessThan(dead === "silent" ? 1_000 / IN_FLIGHT_MAX + 2 : 0);
          outbox.again();
          answers();
        }
      }),
      { numRuns: 20 },
    );
  },
);
