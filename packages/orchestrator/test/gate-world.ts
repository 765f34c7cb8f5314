/**
 * A gate with a store in memory and a clock, and messages that a test delivers.
 */
import type { Address } from "@holdfast/protocol";
import { MemoryStore } from "@holdfast/workflows/testing";
import {
  type Acquire,
  type AcquireAnswer,
  CoordinatorHost,
  type GateCommand,
  type GateSettings,
  type HoldRef,
  type HolderAnswer,
  type HolderMessage,
  type QueuePlace,
  type SendResult,
  gate,
} from "../src/index.ts";

export const START = 1_700_000_000_000;

export function holdOf(runId: string, seq = 1): HoldRef {
  return { runId, incarnation: `i-${runId}`, seq };
}

export interface Wish extends Partial<Omit<Acquire, "place" | "settings">> {
  readonly place?: Partial<QueuePlace>;
  readonly settings?: Partial<GateSettings>;
}

export interface Sent {
  readonly to: Address;
  readonly message: HolderMessage;
  readonly done: (result: SendResult) => void;
}

/** An object of a test, with a clock and a store. */
interface TestObject {
  now: number;
  readonly store: MemoryStore;
  readonly host: CoordinatorHost;
}

/** Advances the clock of an object, and fires the alarms on the way. */
export function pass(object: TestObject, ms: number): void {
  const { store } = object;
  const end = object.now + ms;
  for (let fired = 0; store.alarm !== null && store.alarm <= end; fired++) {
    if (fired > 1_000) throw new Error("the alarm fires without end");
    object.now = Math.max(object.now, store.alarm);
    store.takeAlarm();
    object.host.alarm();
  }
  object.now = end;
}

export class GateWorld {
  now = START;
  readonly store = new MemoryStore();
  erased = 0;
  /** Messages to runs that no test has answered. */
  sent: Sent[] = [];
  /** Messages to the list. */
  readonly listed: object[] = [];
  toList: (message: object) => SendResult = () => ({ type: "acknowledged" });
  settings: GateSettings;
  host: CoordinatorHost;

  constructor(settings: Partial<GateSettings> = {}) {
    this.settings = { rev: 1, max: 1, ...settings };
    this.store.clock = () => this.now;
    this.host = this.open();
  }

  /** Opens the object again, as after the end of its process. */
  open(): CoordinatorHost {
    this.host = new CoordinatorHost({
      machine: gate,
      self: { kind: "gate", name: "l\u0002k" },
      store: this.store,
      clock: () => this.now,
      send: (to, message, done) => {
        if (to.kind === "run") this.sent.push({ to, message: message as HolderMessage, done });
        else {
          this.listed.push(message);
          const result = this.toList(message);
          queueMicrotask(() => done(result));
        }
      },
      erase: () => {
        this.erased += 1;
        const keys = [...this.store.list("")].map(([key]) => key);
        this.store.commit({ puts: new Map(), deletes: new Set(keys), alarm: null });
      },
    });
    return this.host;
  }

  acquire(runId: string, wish: Wish = {}): AcquireAnswer {
    const { settings, place, ...rest } = wish;
    const result = this.host.receive({
      type: "acquire",
      hold: holdOf(runId),
      limit: "l",
      key: "k",
      mode: "run",
      onFull: "queue",
      workflowId: "w",
      ...rest,
      place: { enqueuedAt: this.now, ...place },
      settings: { ...this.settings, ...settings },
    } satisfies Acquire);
    if (result.type !== "acknowledged") throw new Error(result.type);
    return result.answer as AcquireAnswer;
  }

  release(runId: string, place: Partial<QueuePlace> = {}, hold: HoldRef = holdOf(runId)): void {
    this.host.receive({ type: "release", hold, place: { enqueuedAt: this.now, ...place } });
  }

  command(command: GateCommand): Record<string, unknown> {
    const reply = this.host.command(command);
    return reply.type === "done" ? (reply.body as Record<string, unknown>) : { refused: reply.code };
  }

  /** The runs with a row, the oldest first, and those of the queue. */
  get view(): string {
    const { holders, queue } = this.command({ type: "read" }) as { holders?: Named[]; queue?: Named[] };
    const names = (rows: Named[] = []) => rows.map(({ runId }) => runId).join(" ");
    return `${names(holders)} | ${names(queue)}`;
  }

  /** Answers the oldest message to a run. */
  answer(type: HolderAnswer["type"] | "unreachable"): HolderMessage | undefined {
    const sent = this.sent.shift();
    sent?.done(type === "unreachable" ? { type } : { type: "acknowledged", answer: { type } });
    return sent?.message;
  }

  advance(ms: number): void {
    pass(this, ms);
  }

  get rows(): string[] {
    return [...this.store.list("")].map(([key]) => key);
  }
}

interface Named {
  readonly runId: string;
}
