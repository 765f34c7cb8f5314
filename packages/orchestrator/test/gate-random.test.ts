/**
 * tests: one gate and many runs, with messages that are lost, doubled and delayed, and a gate that dies at any commit
 *
 * The runs are the naive model: each knows by itself whether it holds. The oracle counts them.
 */
import { MemoryStore } from "@holdfast/workflows/testing";
import { expect, test } from "vitest";
import {
  type Acquire,
  type AcquireAnswer,
  CoordinatorHost,
  type HoldRef,
  type HolderAnswer,
  type HolderMessage,
  type Release,
  type SendResult,
  gate,
} from "../src/index.ts";
import { START } from "./gate-world.ts";

const SEEDS = 400;

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A run that holds several times, each time under a new number, and releases after a while. */
class Run {
  readonly id: string;
  readonly group: string | undefined;
  seq = 1;
  state: "wants" | "holds" | "free" | "done" | "deleted" = "wants";
  enqueuedAt: number;
  left: number;
  /** Releases that are not acknowledged. */
  readonly releases: Release[] = [];

  constructor(id: string, enqueuedAt: number, left: number, group: string | undefined) {
    this.id = id;
    this.enqueuedAt = enqueuedAt;
    this.left = left;
    this.group = group;
  }

  get hold(): HoldRef {
    return { runId: this.id, incarnation: `i-${this.id}`, seq: this.seq };
  }

  get place() {
    return { enqueuedAt: this.enqueuedAt, ...(this.group === undefined ? {} : { group: this.group }) };
  }

  receive(message: HolderMessage): HolderAnswer {
    if (this.state === "deleted") return { type: "not_found" };
    const isNewest = message.hold.seq === this.seq;
    if (message.type === "probeHold")
      return {
        type: isNewest && this.state === "holds" ? "holds" : isNewest && this.state === "wants" ? "wants" : "free",
      };
    if (message.type !== "grant" || !isNewest || (this.state !== "wants" && this.state !== "holds"))
      return { type: "declined" };
    this.state = "holds";
    return { type: "accepted" };
  }
}

class World {
  now = START;
  max: number;
  readonly runs: Run[] = [];
  readonly store = new MemoryStore();
  readonly random: () => number;
  readonly problems: string[] = [];
  faults = true;
  #events: { at: number; act: () => void }[] = [];
  #rev = 1;
  #process = 0;
  host: CoordinatorHost;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.max = 1 + Math.floor(this.random() * 3);
    this.store.clock = () => this.now;
    this.store.beforeCommit = () => this.#mayCrash();
    this.store.afterCommit = () => this.#mayCrash();
    this.host = this.#open();
    const fair = this.random() < 0.3;
    for (let i = 0; i < 4 + Math.floor(this.random() * 8); i++) {
      const at = START + Math.floor(this.random() * 60_000);
      const run = new Run(`r${i}`, at, 1 + Math.floor(this.random() * 3), fair ? `g${i % 3}` : undefined);
      this.runs.push(run);
      this.later(at - START, () => this.#drive(run));
    }
  }

  #open(): CoordinatorHost {
    this.#process += 1;
    const process = this.#process;
    /** What was sent by a process that died reaches nobody there. */
    const alive = (done: () => void) => () => {
      if (process === this.#process) done();
    };
    return new CoordinatorHost({
      machine: gate,
      self: { kind: "gate", name: "l" },
      store: this.store,
      clock: () => this.now,
      send: (to, message, done) => {
        if (to.kind !== "run") return this.#travel(alive(() => done({ type: "acknowledged" })));
        const run = this.runs.find(({ id }) => id === to.name);
        const deliver = () => {
          const answer = run?.receive(message as HolderMessage) ?? { type: "not_found" };
          this.#travel(alive(() => done({ type: "acknowledged", answer })));
        };
        this.#travel(
          deliver,
          alive(() => done({ type: "unreachable" })),
        );
      },
      erase: () => {
        const keys = [...this.store.list("")].map(([key]) => key);
        this.store.commit({ puts: new Map(), deletes: new Set(keys), alarm: null });
      },
    });
  }

  #mayCrash(): void {
    if (this.faults && this.random() < 0.03) {
      this.host = this.#open();
      throw new Error("the process of the gate ends");
    }
  }

  later(ms: number, act: () => void): void {
    this.#events.push({ at: this.now + ms, act });
  }

  /** Delivers once, twice or not at all, after a while. */
  #travel(deliver: () => void, lost?: () => void): void {
    const delay = () => Math.floor(this.random() * (this.random() < 0.1 ? 20_000 : 200));
    if (this.faults && this.random() < 0.15) {
      if (lost !== undefined) this.later(delay(), lost);
      return;
    }
    this.later(delay(), deliver);
    if (this.faults && this.random() < 0.1) this.later(delay(), deliver);
  }

  #send(message: Acquire | Release, done: (result: SendResult) => void): void {
    this.#travel(() => {
      let result: SendResult;
      try {
        result = this.host.receive(message);
      } catch {
        return;
      }
      this.#travel(() => done(result));
    });
  }

  /** The protocol of a run: it asks again and again until it is answered. */
  #drive(run: Run): void {
    if (run.state === "deleted" || run.state === "done") return;
    if (run.state === "wants") {
      const { hold, place } = run;
      this.#send(
        {
          type: "acquire",
          hold,
          limit: "l",
          mode: "active",
          place,
          onFull: "queue",
          workflowId: "w",
          settings: { rev: this.#rev, max: this.max },
        },
        (result) => this.#answered(run, hold.seq, result),
      );
    }
    if (this.faults && run.state === "holds" && this.random() < 0.05) run.state = "deleted";
    this.later(20_000, () => this.#drive(run));
  }

  #answered(run: Run, seq: number, result: SendResult): void {
    if (result.type !== "acknowledged" || seq !== run.seq || run.state !== "wants") return;
    if ((result.answer as AcquireAnswer).type === "granted") run.state = "holds";
  }

  #release(run: Run): void {
    const message: Release = { type: "release", hold: run.hold, place: run.place };
    // Committed before it is sent (L1).
    run.state = run.left > 1 ? "wants" : "done";
    run.left -= 1;
    run.seq += 1;
    const repeat = (): void => {
      let acknowledged = false;
      this.#send(message, () => (acknowledged = true));
      this.later(6_000, () => {
        if (!acknowledged) repeat();
      });
    };
    repeat();
  }

  step(): boolean {
    this.#events.sort((a, b) => a.at - b.at);
    const next = this.#events[0];
    const { alarm } = this.store;
    if (alarm !== null && (next === undefined || alarm <= next.at)) {
      this.now = Math.max(this.now, alarm);
      this.store.takeAlarm();
      try {
        this.host.alarm();
      } catch {
        // As the handler does.
        this.store.platformAlarm.set(this.now + 5_000, this.now);
      }
    } else if (next === undefined) return false;
    else {
      this.#events.shift();
      this.now = Math.max(this.now, next.at);
      try {
        next.act();
      } catch {
        // The gate died; the senders repeat.
      }
    }
    this.#act();
    this.#check();
    return true;
  }

  /** Holders end now and then; operators and deployments change the settings. */
  #act(): void {
    for (const run of this.runs) if (run.state === "holds" && this.random() < 0.1) this.#release(run);
    if (this.faults && this.random() < 0.01) {
      this.#rev += 1;
      this.max = Math.max(this.max, 1 + Math.floor(this.random() * 3));
    }
  }

  /** L1 by what the runs say themselves. The largest max so far: lowering evicts nobody. */
  #check(): void {
    const holding = this.runs.filter(({ state }) => state === "holds").map(({ id }) => id);
    if (holding.length > this.max) this.problems.push(`${holding.join(" ")} hold, and max is ${this.max}`);
  }
}

test("L1 L2 L3 never too many, never leaked, never forgotten: random runs, lost messages and deaths of the gate", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const world = new World(seed);
    const faultsUntil = START + 300_000;
    for (let steps = 0; steps < 20_000 && world.now < faultsUntil; steps++) world.step();
    world.faults = false;
    const end = world.now + 3_600_000;
    const isOver = () => world.runs.every(({ state }) => state === "done" || state === "deleted");
    for (
      let steps = 0;
      steps < 40_000 && !(isOver() && world.store.get("header") === undefined) && world.now < end;
      steps++
    )
      world.step();
    expect(world.problems, `seed ${seed}`).toEqual([]);
    expect(
      world.runs.filter(({ state }) => state !== "done" && state !== "deleted"),
      `seed ${seed}: stuck`,
    ).toEqual([]);
    expect(
      [...world.store.list("")].map(([key]) => key),
      `seed ${seed}: leaked`,
    ).toEqual([]);
  }
});
