import { describe, expect, test } from "vitest";
import {
  CLOCK_BACK_MS,
  type Envelope,
  SEEN_MS,
  type SeenRow,
  accept,
  answerProbe,
  lastAfter,
  mayForget,
  nextNumber,
} from "./exchange.ts";
import { RECEIVERS, SENDERS, START, World } from "./exchange-world.ts";

/** Returns the messages of a sender that took effect at a receiver, in order. */
function effectsOf(world: World, sender: string, receiver: string): Envelope<number>[] {
  return world.peer(receiver).effects.filter(({ from }) => typeof from === "object" && from.name === sender);
}

/** Plays many worlds, checks what holds in each, and returns the faults that happened. */
function playAll(probes: boolean, check: (world: World, where: string) => void): string[] {
  const faults = new Set<string>();
  for (let seed = 1; seed <= 120; seed++) {
    const world = new World(seed, probes);
    world.play();
    for (const what of world.counts.keys()) faults.add(what);
    expect(world.violations, `seed ${seed}`).toEqual([]);
    for (const { name, pending, seen } of world.peers.values()) {
      if (!world.deleted.has(name)) expect([seed, name, pending, seen]).toEqual([seed, name, 0, 0]);
    }
    for (const sender of SENDERS) for (const receiver of RECEIVERS) checkOnce(world, seed, sender, receiver);
    check(world, `seed ${seed}`);
  }
  return [...faults].toSorted();
}

/** Each number of a session takes effect at most once, and in order (EX1). */
function checkOnce(world: World, seed: number, sender: string, receiver: string): void {
  const last = new Map<string, number>();
  for (const { session, number } of effectsOf(world, sender, receiver)) {
    const where = `seed ${seed}, ${session} to ${receiver}`;
    expect(number, where).toBeGreaterThan(last.get(session) ?? 0);
    last.set(session, number);
  }
}

const NETWORK = ["answer lost", "deleted", "doubled", "late", "lost", "none"];
const RESTORES = ["restored, 0 s back", "restored, 1500 s back", "restored, 20 s back", "restored, 300 s back"];

describe("the exchange of messages between objects", () => {
  test("CHILD4 each message takes effect once, in order, despite faults, crashes, restored senders and late clocks", () => {
    const faults = playAll(false, (world, where) => {
      for (const sender of SENDERS) {
        for (const receiver of RECEIVERS) {
          const posted = (world.posted.get(sender) ?? []).filter(({ to }) => to === receiver);
          const messages = new Set(posted.map(({ message }) => message));
          const effects = effectsOf(world, sender, receiver).map(({ message }) => message);
          const path = `${where}, ${sender} to ${receiver}`;
          expect(new Set(effects).size, `${path}: at most once`).toBe(effects.length);
          const stored = effects.filter((message) => messages.has(message));
          expect(stored, `${path}: in order`).toEqual(stored.toSorted((a, b) => a - b));
          if (world.deleted.has(receiver)) continue;
          const missing = posted.filter(({ message, sure }) => sure && !effects.includes(message));
          expect(missing, `${path}: every message`).toEqual([]);
        }
      }
    });
    expect(faults).toEqual([...NETWORK, "posted without a receipt", "rested", ...RESTORES, "silent"]);
  });

  test("CHILD4 after probes each receiver holds exactly what senders claim, although both sides were restored", () => {
    const faults = playAll(true, (world, where) => {
      for (const sender of SENDERS) {
        for (const receiver of RECEIVERS) {
          const claims = [...world.peer(sender).claims].filter(([, { to }]) => to === receiver);
          const held = [...world.peer(receiver).held].filter(([, { from }]) => from === sender);
          const gone = world.deleted.has(receiver);
          const names = (rows: [string, unknown][]): string[] => rows.map(([about]) => about).toSorted();
          expect(names(claims), `${where}, ${sender} to ${receiver}`).toEqual(gone ? [] : names(held));
        }
      }
    });
    const probes = ["posted without a receipt", "probed: gone", "probed: held", "probed: not held"];
    expect(faults).toEqual([...NETWORK, ...probes, "receiver restored", "rested", ...RESTORES, "silent"]);
  });

  test("CHILD4 numbers follow the clock, and still increase when the clock steps back", () => {
    expect(nextNumber(0, START)).toBe(START);
    expect(nextNumber(START, START)).toBe(START + 1);
    expect(nextNumber(START, START - 5_000)).toBe(START + 1);
  });

  test("CHILD4 after a receipt with a higher number the sender's numbers continue above it", () => {
    const seen = { v: 1, sessions: { a: 7 }, floor: 0, at: START };
    const { receipt } = accept(seen, { session: "a", number: 6 }, START);
    expect(receipt).toEqual({ type: "duplicate", newest: 7 });
    expect([lastAfter(receipt, 6), lastAfter(receipt, 9), lastAfter({ type: "gone" }, 6)]).toEqual([7, 9, 6]);
  });

  test("CHILD4 a restored sender with a clock that is set back loses no message to a number that it used before", () => {
    const first = accept(undefined, { session: "a", number: START }, START).seen;
    const second = accept(first, { session: "b", number: START - 20_000 }, START);
    expect(second.receipt).toEqual({ type: "taken", newest: START });
    for (const [session, number] of [
      ["a", START],
      ["b", START - 20_000],
    ] as const)
      expect(accept(second.seen, { session, number }, START).receipt.type).toBe("duplicate");
  });

  test("CHILD4 a receiver stores only the sessions of the last minutes one by one", () => {
    let seen: SeenRow | undefined;
    for (let i = 0; i < 1_000; i++) {
      const number = START + i * 60_000;
      ({ seen } = accept(seen, { session: `s${i}`, number }, number));
    }
    expect(Object.keys(seen?.sessions ?? {})).toHaveLength(CLOCK_BACK_MS / 60_000 + 1);
    expect(accept(seen, { session: "s3", number: START + 180_000 }, START).receipt.type).toBe("duplicate");
  });

  test("CHILD4 a receiver deletes a sender's row when no copy of a message can still arrive", () => {
    const seen = { v: 1, sessions: { a: 7 }, floor: 0, at: START };
    expect([mayForget(seen, START + SEEN_MS - 1), mayForget(seen, START + SEEN_MS)]).toEqual([false, true]);
  });

  test("CHILD4 a probe asks whether the receiver still holds a thing; a deleted receiver holds nothing", () => {
    const probe = { type: "probe", about: "permit-1" } as const;
    expect(answerProbe(probe, new Set(["permit-1"]))).toEqual({ type: "probed", about: "permit-1", held: true });
    expect(answerProbe(probe, new Set())).toEqual({ type: "probed", about: "permit-1", held: false });
    expect(answerProbe(probe, undefined)).toEqual({ type: "probed", about: "permit-1", held: false });
  });
});
