/**
 * A simulation of peers that exchange messages: a virtual clock, and a network with random faults until it is healed.
 *
 * Owns: the faults. Messages are lost, doubled and delayed; peers crash, are deleted, and are restored to an earlier state
 * of their storage, with a clock that may be set back.
 */
import { MemoryStore } from "@holdfast/workflows/testing";
import { CLOCK_BACK_MS, type ProbeAnswer, SEEN_MS, answerProbe } from "./exchange.ts";
import { type Message, Peer, type Result } from "./peers.ts";

export const START = 1_700_000_000_000;
export const SENDERS = ["s0", "s1", "s2"];
export const RECEIVERS = ["r0", "r1", "r2"];
const MINUTE = 60_000;
/** Farther than EX3 allows without a receipt. */
const FAR_BACK_MS = CLOCK_BACK_MS + 20 * MINUTE;

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

export interface Posted {
  readonly to: string;
  readonly message: number;
  /** Whether the precondition of EX3 holds. */
  readonly sure: boolean;
}

interface Saved {
  readonly store: MemoryStore;
  readonly posted: readonly Posted[];
  readonly at: number;
}

export class World {
  now = START;
  readonly counts = new Map<string, number>();
  readonly peers: Map<string, Peer>;
  /** Receivers that were deleted. */
  readonly deleted = new Set<string>();
  /** The messages that each sender has posted, in order, without those that a restore of its storage removed. */
  readonly posted = new Map<string, readonly Posted[]>();
  readonly violations: string[] = [];
  readonly #random: () => number;
  /** Whether receivers are restored too. Probes then repair what that loses. */
  readonly #probes: boolean;
  #healed = false;
  #messages = 0;
  #steps = 0;
  #events: { readonly at: number; readonly act: () => void }[] = [];
  readonly #saved = new Map<string, Saved>();
  /** How far each peer's clock is set back, ms. */
  readonly #back = new Map<string, number>();
  /** The newest attempt to send from a session to a receiver, until its result arrives. */
  readonly #open = new Map<string, Message>();

  constructor(seed: number, probes: boolean) {
    this.#random = randomFrom(seed);
    this.#probes = probes;
    const peer = (name: string): Peer =>
      new Peer(
        name,
        () => this.now - this.#backOf(name),
        (message) => this.#transmit(name, message),
      );
    this.peers = new Map([...SENDERS, ...RECEIVERS].map((name) => [name, peer(name)]));
  }

  peer(name: string): Peer {
    return this.peers.get(name) as Peer;
  }

  #backOf(name: string): number {
    return this.#back.get(name) ?? 0;
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
    return this.deleted.has(message.to) ? { type: "gone" } : this.peer(message.to).receive(message.envelope);
  }

  #transmit(from: string, sent: Message): void {
    const path = `${from} to ${sent.to}, load ${this.peer(from).loads}`;
    const open = this.#open.get(path);
    const pending = open !== undefined && this.peer(from).isPending(open.envelope);
    if (!sent.again && pending) this.violations.push(`${path}: two messages are in flight`);
    this.#open.set(path, sent);
    const done = (result: Result): void => {
      if (this.#open.get(path) === sent) this.#open.delete(path);
      sent.done(result);
    };
    const fault = this.#healed ? "none" : this.#pick(["none", "lost", "answer lost", "doubled", "late", "silent"]);
    this.#count(fault);
    const slow = (): number => Math.floor(this.#random() * (fault === "late" ? 30_000 : 200));
    if (fault === "silent") return;
    if (fault === "lost") return this.#later(slow(), () => done({ type: "unreachable" }));
    if (fault === "doubled") this.#later(this.#copyDelay(), () => void this.#deliver(sent));
    this.#later(slow(), () => {
      const result = this.#deliver(sent);
      this.#later(slow(), () => done(fault === "answer lost" ? { type: "unreachable" } : result));
    });
  }

  #copyDelay(): number {
    return Math.floor(this.#random() * this.#pick([30_000, SEEN_MS * 0.2]));
  }

  #post(from = this.#pick(SENDERS), to = this.#pick(RECEIVERS)): void {
    const peer = this.peer(from);
    this.#messages += 1;
    const sure = this.#backOf(from) <= CLOCK_BACK_MS || peer.receiptsFrom.has(to);
    if (!sure) this.#count("posted without a receipt");
    this.posted.set(from, [...(this.posted.get(from) ?? []), { to, message: this.#messages, sure }]);
    peer.post(to, this.#messages);
  }

  /** Restores a peer to its saved state: a copy of its storage. The clock of a sender may be set back. */
  #restore(name: string, wanted?: number): void {
    const saved = this.#saved.get(name);
    this.#saved.delete(name);
    if (saved === undefined || this.now - saved.at > 15 * MINUTE) return;
    const sender = SENDERS.includes(name);
    const back = sender ? (wanted ?? this.#pick([0, 20_000, CLOCK_BACK_MS, FAR_BACK_MS])) : 0;
    this.#count(sender ? `restored, ${back / 1_000} s back` : "receiver restored");
    this.#back.set(name, back);
    this.posted.set(name, saved.posted);
    this.peer(name).crash(saved.store);
  }

  #save(name: string): void {
    const store = copyOf(this.peer(name).store);
    this.#saved.set(name, { store, posted: this.posted.get(name) ?? [], at: this.now });
  }

  #disturb(): void {
    const all = [...SENDERS, ...RECEIVERS];
    const restored = this.#probes ? all : SENDERS;
    const chance = this.#random();
    if (chance < 0.15) this.peer(this.#pick(all)).crash();
    else if (chance < 0.27) this.#save(this.#pick(restored));
    else if (chance < 0.4) this.#restore(this.#pick(restored));
    else if (chance < 0.42) this.#rewind(this.#pick(SENDERS));
    else if (chance < 0.52) this.#rest();
    else if (chance < 0.53 && this.deleted.size === 0) {
      this.#count("deleted");
      this.deleted.add(this.#pick(RECEIVERS));
    } else if (chance < 0.66 && this.#probes) this.#probeAll();
  }

  /** Restores a sender, with a clock far back, to before two sessions that its receiver knows. */
  #rewind(name: string): void {
    const receiver = this.#pick(RECEIVERS);
    this.#save(name);
    for (let session = 0; session < 2; session++) {
      this.#post(name, receiver);
      while (this.peer(name).pending > 0) this.#step();
      this.#pass(CLOCK_BACK_MS + 1);
      this.peer(name).crash();
    }
    this.#restore(name, FAR_BACK_MS);
    for (let i = 0; i < 3; i++) {
      this.#post(name, receiver);
      while (this.peer(name).pending > 0) this.#step();
    }
  }

  /** Lets time pass while no message is pending: copies of messages are still in flight. */
  #rest(): void {
    if ([...this.peers.values()].some((peer) => peer.pending > 0)) return;
    this.#count("rested");
    this.#pass(Math.floor(this.#random() * this.#pick([12, 25]) * MINUTE));
  }

  #pass(ms: number): void {
    const until = this.now + ms;
    while (this.#next() <= until) this.#step();
    this.now = Math.max(this.now, until);
  }

  /** Each peer asks about all that it claims or holds. */
  #probeAll(): void {
    for (const peer of this.peers.values()) {
      if (this.deleted.has(peer.name)) continue;
      for (const [about, { to, settled }] of peer.claims) if (settled) this.#probe(peer, to, about);
      for (const [about, { from }] of peer.held) this.#probe(peer, from, about);
    }
  }

  #probe(asker: Peer, to: string, about: string): void {
    const delay = (): number => Math.floor(this.#random() * (this.#healed ? 100 : 20_000));
    const isLost = (): boolean => !this.#healed && this.#random() < 0.3;
    if (isLost()) return;
    this.#later(delay(), () => {
      const gone = this.deleted.has(to);
      const answer: ProbeAnswer = gone ? answerProbe({ type: "probe", about }, undefined) : this.peer(to).probe(about);
      this.#count(`probed: ${gone ? "gone" : answer.held ? "held" : "not held"}`);
      if (!isLost()) this.#later(delay(), () => asker.probed(answer));
    });
  }

  /** When a peer's alarm fires, on the clock of the world. */
  #alarmOf(peer: Peer): number {
    return (peer.store.alarm ?? Infinity) + this.#backOf(peer.name);
  }

  #next(): number {
    const alarms = [...this.peers.values()].map((peer) => this.#alarmOf(peer));
    return Math.min(...alarms, ...this.#events.map(({ at }) => at));
  }

  /** Advances the clock to the next event or alarm, and handles it. */
  #step(): boolean {
    const next = this.#next();
    if (next === Infinity) return false;
    this.#steps += 1;
    if (this.#steps > 5_000) throw new Error("messages are in flight forever");
    this.now = Math.max(this.now, next);
    const event = this.#events.find(({ at }) => at === next);
    if (event !== undefined) {
      this.#events = this.#events.filter((one) => one !== event);
      event.act();
    } else [...this.peers.values()].find((peer) => this.#alarmOf(peer) === next)?.alarm();
    return true;
  }

  #finish(): void {
    while (this.#step());
  }

  play(): void {
    for (let i = 0; i < 40; i++) {
      this.#post();
      for (let steps = this.#random() * 6; steps > 0 && this.#step(); steps--);
      this.#disturb();
    }
    this.#healed = true;
    this.#finish();
    // The first round finds what is lost, the second what messages to deleted receivers have left.
    for (let round = 0; this.#probes && round < 3; round++) {
      this.#probeAll();
      this.#finish();
    }
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
