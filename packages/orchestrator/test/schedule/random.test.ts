/** Random worlds: crashes at writes, messages that are lost, doubled or late, doubled and dropped alarms, and clocks that jump. */
import { describe, expect, test } from "vitest";
import { nextTime } from "../../src/schedule/times/next-time.ts";
import { type Fate, MINUTE, START, World } from "./world.ts";

/** A generator of numbers from 0 to 1 (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const OVERLAPS = ["skip", "queue", "replace", "allow"] as const;
const CATCH_UPS = ["latest", "all", "none"] as const;

interface Play {
  readonly world: World;
  readonly overlap: (typeof OVERLAPS)[number];
  /** How often a run began while another tick's run had not ended. */
  readonly overlapping: number;
}

/** Plays six hours of a schedule of every ten minutes with faults, and an hour without. */
function play(seed: number): Play {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const world = new World();
  const overlap = pick(OVERLAPS);
  const spread = pick([undefined, "5m"]);
  let overlapping = 0;
  world.runMs = pick([1_000, 5 * MINUTE, 25 * MINUTE]);
  world.declare({ cron: "*/10 * * * *", overlap, catchUp: pick(CATCH_UPS), spread });
  const set = world.runs.set.bind(world.runs);
  world.runs.set = (id, run) => {
    if (
      [...world.runs.values()].some(({ status, trigger }) => status === "running" && trigger.schedule?.kind === "tick")
    )
      overlapping += 1;
    return set(id, run);
  };
  for (const store of world.stores.values()) store.onCommit = () => random() < 0.08 && World.crash();
  world.fate = (): Fate => pick(["arrives", "arrives", "arrives", "is lost", "loses its answer", "is doubled", 3_000]);
  for (let step = 0; step < 36; step++) {
    const act = random();
    world.off = act < 0.1;
    if (act > 0.9) world.store("schedule/s").alarm = null;
    if (act > 0.8) world.fireAlarm("schedule/s");
    if (act > 0.1 && act < 0.15) world.now -= 15 * MINUTE;
    if (act > 0.15 && act < 0.2) world.now += 15 * MINUTE;
    if (act > 0.2 && act < 0.25) world.command({ type: "pause", by: "me" });
    if (act > 0.25 && act < 0.35) world.command({ type: "resume", by: "me", catchUp: act < 0.3 });
    if (act > 0.35 && act < 0.4) world.crash("schedule/s");
    world.pass(10 * MINUTE);
  }
  for (const store of world.stores.values()) store.onCommit = () => {};
  world.fate = () => "arrives";
  world.off = false;
  world.command({ type: "resume", by: "me", catchUp: false });
  world.pass(3 * 60 * MINUTE);
  return { world, overlap, overlapping };
}

describe("random worlds", () => {
  const seeds = Array.from({ length: Number(process.env["SCHEDULE_SEEDS"] ?? 16) }, (_none, nth) => nth + 1);

  test("SCH4 SCH5 each tick is decided once and starts at most one run, and the schedule continues after any fault", () => {
    for (const seed of seeds) {
      const { world } = play(seed);
      const { ticks, status } = world.read();
      const fired = ticks.filter(({ outcome }) => outcome === "fired").map(({ runId }) => runId);
      expect(new Set(fired).size, `seed ${seed}: a tick fired twice`).toBe(fired.length);
      for (const runId of fired)
        expect(world.runs.has(runId ?? ""), `seed ${seed}: ${runId} was not started`).toBe(true);
      for (const id of world.runs.keys()) expect(fired, `seed ${seed}: ${id} has no decision`).toContain(id);
      expect(status, `seed ${seed}`).toBe("active");
      expect(ticks[0]?.nominal, `seed ${seed}: the newest ticks are decided`).toBeGreaterThan(world.now - 20 * MINUTE);
      const decided = new Set(ticks.filter(({ kind }) => kind === "tick").map(({ nominal }) => nominal));
      const spec = { cron: ["*/10 * * * *"], tz: "UTC" };
      const newest = ticks[0]?.nominal ?? 0;
      for (let at = nextTime(spec, START); at !== undefined && at <= newest; at = nextTime(spec, at))
        expect(decided.has(at), `seed ${seed}: ${new Date(at).toISOString()} has no decision`).toBe(true);
    }
  }, 180_000);

  test("SCH6 runs of ticks overlap with allow only", () => {
    for (const seed of seeds) {
      const { overlap, overlapping } = play(seed);
      if (overlap !== "allow") expect(overlapping, `seed ${seed}, ${overlap}`).toBe(0);
    }
  }, 180_000);

  test("SCH5 a crash at each write of a wake changes nothing but the time", () => {
    for (const overlap of OVERLAPS) {
      for (let crashAt = 1; crashAt <= 24; crashAt += 3) {
        const world = new World();
        world.runMs = 15 * MINUTE;
        world.declare({ cron: "*/10 * * * *", overlap });
        let writes = 0;
        world.store("schedule/s").onCommit = () => {
          writes += 1;
          if (writes === crashAt) World.crash();
        };
        world.pass(65 * MINUTE);
        const { fired } = world.read().counts;
        expect(fired, `${overlap}, crash at ${crashAt}`).toBeGreaterThanOrEqual(3);
        expect(world.runs.size).toBe(fired);
        expect(world.read().ticks.filter(({ kind }) => kind === "tick")).toHaveLength(6);
      }
    }
  });
});
