import { describe, expect, test } from "vitest";
import { MemoryStore } from "@holdfast/workflows/testing";
import { SEEN_MS, accept, answerProbe, lastAfter, mayForget, nextNumber } from "../src/index.ts";
import { type Message, Peer, type Result } from "./peers.ts";

const START = 1_700_000_000_000;
const SENDERS = ["s0", "s1", "s2"];
const RECEIVERS = ["r0", "r1", "r2"];

/** A generator of numbers from 0 to 1, determined by the seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Peers, a virtual clock, and a network with random faults until it is healed. */
class World {
  now = START;
  readonly counts = new Map<string, number>();
  readonly peers: Map<string, Peer>;
  /** Receivers that were deleted. */
  readonly deleted = new Set<string>();
  /** The messages that each sender has posted, in order, without those that a restore of its storage removed. */
  readonly posted = new Map<string, { readonly to: string; readonly message: number }[]>();
  readonly #random: () => number;
  #healed = false;
  #messages = 0;
  #events: { readonly at: number; readonly act: () => void }[] = [];
  readonly #saved = new Map<string, { readonly store: MemoryStore; readonly posted: number }>();

  constructor(seed: number) {
    this.#random = randomFrom(seed);
    const names = [...SENDERS, ...RECEIVERS];
    this.peers = new Map(
      names.map((name) => [
        name,
        new Peer(
          name,
          () => this.now,
          (one) => this.#transmit(one),
        ),
      ]),
    );
  }

  #later(ms: number, act: () => void): void {
    this.#events.push({ at: this.now + ms, act });
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)] as T;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #deliver(message: Message): Result {
    if (this.deleted.has(message.to)) return { type: "gone" };
    return this.peers.get(message.to)?.receive(message.envelope) ?? { type: "gone" };
  }

  #transmit(message: Message): void {
    const fault = this.#healed ? "none" : this.#pick(["none", "lost", "answer lost", "doubled", "late", "silent"]);
    this.#count(fault);
    const slow = (): number => Math.floor(this.#random() * (fault === "late" ? 30_000 : 200));
    if (fault === "silent") return;
    if (fault === "lost") return this.#later(slow(), () => message.done({ type: "unreachable" }));
    if (fault === "doubled") this.#later(30_000 * this.#random(), () => void this.#deliver(message));
    this.#later(slow(), () => {
      const result = this.#deliver(message);
      this.#later(slow(), () => message.done(fault === "answer lost" ? { type: "unreachable" } : result));
    });
  }

  #post(): void {
    const from = this.#pick(SENDERS);
    const to = this.#pick(RECEIVERS);
    this.#messages += 1;
    this.posted.set(from, [...(this.posted.get(from) ?? []), { to, message: this.#messages }]);
    this.peers.get(from)?.post(to, this.#messages);
  }

  /** Restores a sender to its saved state: a copy of its storage. */
  #restore(name: string): void {
    const saved = this.#saved.get(name);
    if (saved === undefined) return;
    this.now += 1_000;
    this.#count("restored");
    this.#saved.delete(name);
    this.posted.set(name, (this.posted.get(name) ?? []).slice(0, saved.posted));
    this.peers.get(name)?.crash(saved.store);
  }

  #save(name: string): void {
    const { store } = this.peers.get(name) as Peer;
    this.#saved.set(name, { store: copyOf(store), posted: this.posted.get(name)?.length ?? 0 });
  }

  #disturb(): void {
    const chance = this.#random();
    if (chance < 0.1) this.peers.get(this.#pick([...SENDERS, ...RECEIVERS]))?.crash();
    else if (chance < 0.2) this.#save(this.#pick(SENDERS));
    else if (chance < 0.3) this.#restore(this.#pick(SENDERS));
    else if (chance < 0.31 && this.deleted.size === 0) {
      this.#count("deleted");
      this.deleted.add(this.#pick(RECEIVERS));
    }
  }

  /** Advances the clock to the next event or alarm, and handles it. */
  #step(): boolean {
    const [event] = this.#events.toSorted((a, b) => a.at - b.at);
    const alarmed = [...this.peers.values()].toSorted(
      (a, b) => (a.store.alarm ?? Infinity) - (b.store.alarm ?? Infinity),
    );
    const alarm = alarmed[0]?.store.alarm ?? Infinity;
    if (event === undefined && alarm === Infinity) return false;
    if (event !== undefined && event.at <= alarm) {
      this.#events = this.#events.filter((one) => one !== event);
      this.now = Math.max(this.now, event.at);
      event.act();
    } else {
      this.now = Math.max(this.now, alarm);
      alarmed[0]?.alarm();
    }
    return true;
  }

  play(): void {
    for (let i = 0; i < 40; i++) {
      this.#post();
      for (let steps = this.#random() * 6; steps > 0 && this.#step(); steps--);
      this.#disturb();
    }
    this.#healed = true;
    for (let steps = 0; this.#step(); steps++) if (steps > 5_000) throw new Error("messages are in flight for ever");
  }
}

function copyOf(store: MemoryStore): MemoryStore {
  const copy = new MemoryStore();
  copy.commit({
    puts: new Map(Object.entries(store.dump() as Record<string, object>)),
    deletes: new Set(),
    alarm: store.alarm,
  });
  return copy;
}

/** Returns the messages of a sender that took effect at a receiver, in order. */
function effectsOf(world: World, sender: string, receiver: string): number[] {
  const { effects } = world.peers.get(receiver) as Peer;
  return effects.filter(({ from }) => typeof from === "object" && from.name === sender).map(({ message }) => message);
}

describe("the exchange of messages between objects", () => {
  test("CHILD4 each message takes effect once, in order, despite faults of the network and crashes of the objects", () => {
    const counts = new Map<string, number>();
    for (let seed = 1; seed <= 300; seed++) {
      const world = new World(seed);
      world.play();
      for (const [what, times] of world.counts) counts.set(what, (counts.get(what) ?? 0) + times);
      for (const peer of world.peers.values()) expect([seed, peer.name, peer.pending]).toEqual([seed, peer.name, 0]);
      for (const sender of SENDERS) {
        for (const receiver of RECEIVERS) {
          const effects = effectsOf(world, sender, receiver);
          const where = `seed ${seed}, ${sender} to ${receiver}`;
          expect(new Set(effects).size, `${where}: at most once`).toBe(effects.length);
          expect(effects, `${where}: in order`).toEqual(effects.toSorted((a, b) => a - b));
          if (world.deleted.has(receiver)) continue;
          const posted = (world.posted.get(sender) ?? []).filter(({ to }) => to === receiver);
          const missing = posted.filter(({ message }) => !effects.includes(message));
          expect(missing, `${where}: every message`).toEqual([]);
        }
      }
    }
    const faults = ["answer lost", "deleted", "doubled", "late", "lost", "none", "restored", "silent"];
    expect([...counts.keys()].toSorted()).toEqual(faults);
  });

  test("CHILD4 numbers follow the clock, and still increase when the clock steps back", () => {
    expect(nextNumber(0, START)).toBe(START);
    expect(nextNumber(START, START)).toBe(START + 1);
    expect(nextNumber(START, START - 5_000)).toBe(START + 1);
  });

  test("CHILD4 after a receipt with a higher number the sender's numbers continue above it", () => {
    const seen = { v: 1, number: 7, at: START };
    const { receipt } = accept(seen, 6, START);
    expect(receipt).toEqual({ type: "duplicate", newest: 7 });
    expect([lastAfter(receipt, 6), lastAfter(receipt, 9), lastAfter({ type: "taken" }, 6)]).toEqual([7, 9, 6]);
  });

  test("CHILD4 a receiver deletes a sender's row when no copy of a message can still arrive", () => {
    const seen = { v: 1, number: 7, at: START };
    expect([mayForget(seen, START + SEEN_MS - 1), mayForget(seen, START + SEEN_MS)]).toEqual([false, true]);
  });

  test("CHILD4 a probe asks whether the receiver still holds a thing; a deleted receiver holds nothing", () => {
    const probe = { type: "probe", about: "permit-1" } as const;
    expect(answerProbe(probe, new Set(["permit-1"]))).toEqual({ type: "probed", about: "permit-1", held: true });
    expect(answerProbe(probe, new Set())).toEqual({ type: "probed", about: "permit-1", held: false });
    expect(answerProbe(probe, undefined)).toEqual({ type: "probed", about: "permit-1", held: false });
  });
});
