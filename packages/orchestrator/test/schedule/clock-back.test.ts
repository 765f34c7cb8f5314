/** tests: a schedule whose clock was ahead, and was set back */
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, World } from "./world.ts";

/** Longer than a wake decides one by one, and than its policies look back. */
const FAR = 200 * DAY;

function worldOf(fields: object = {}): World {
  const world = new World();
  world.declare({ every: "1h", ...fields });
  world.pass(1.5 * HOUR);
  return world;
}

/** The hours at which ticks fired, in the order of the decisions. */
const firedHours = (world: World): number[] =>
  world.outcomes().flatMap((outcome) => (outcome.endsWith(" fired") ? [Number(outcome.split(" ")[0]) / 60] : []));

describe("a clock that was ahead", () => {
  for (const overlap of ["skip", "queue", "replace", "allow"])
    for (const catchUp of ["latest", "all", "none"])
      test(`SCH12 a schedule whose clock was far ahead continues when it is set back (${overlap}, ${catchUp})`, () => {
        const world = worldOf({ overlap, catchUp });
        world.now += FAR;
        world.pass(3 * HOUR);
        world.now -= FAR;
        const before = firedHours(world);
        world.pass(3 * HOUR);
        // The clock showed 4:30 when it was right again. `all` has caught up with the first hundred ticks.
        expect(firedHours(world).slice(before.length)).toEqual(catchUp === "all" ? [] : [5, 6, 7]);
        world.pass(100 * HOUR);
        expect(firedHours(world).at(-1)).toBe(107);
        // The row of a tick among the first of the hundred is deleted, so its decision is repeated. Its run is not.
        expect(world.read().counts.fired - world.runs.size).toBe(catchUp === "all" ? 1 : 0);
      });

  test("SCH12 a tick that fired while the clock was ahead does not fire at its time, and one that was skipped does", () => {
    const world = worldOf();
    // 1:30 to 5:30: the ticks of two to four are skipped as late, five fires.
    world.now += 4 * HOUR;
    world.pass(1.1 * HOUR);
    expect(firedHours(world)).toEqual([1, 5, 6]);
    world.now -= 4 * HOUR;
    world.read();
    world.pass(6 * HOUR);
    expect(firedHours(world)).toEqual([1, 5, 6, 3, 4, 7, 8]);
    expect(world.runs.size).toBe(7);
    expect(world.read().counts.fired).toBe(7);
  });

  for (const catchUp of ["latest", "none"])
    test(`SCH12 a tick that fired then is not the newest missed one of a long silence (${catchUp})`, () => {
      const world = new World();
      world.declare({ every: "1s", overlap: "allow", catchUp });
      world.pass(MINUTE);
      world.now += 2 * HOUR;
      world.pass(20 * MINUTE);
      world.now -= 2 * HOUR + 20 * MINUTE;
      world.read();
      world.off = true;
      world.pass(2 * HOUR + 10 * MINUTE);
      world.off = false;
      world.pass(MINUTE);
      const fired = world.outcomes().filter((outcome) => outcome.endsWith(" fired"));
      expect(new Set(fired).size).toBe(fired.length);
      expect(world.read().counts.fired).toBe(world.runs.size);
    });

  test("SCH12 the clock may jump again and again, and the process may die at each write", () => {
    for (let die = 0; die < 36; die += 3) {
      const world = worldOf();
      let commits = 0;
      world.store("schedule/s").onCommit = () => {
        if ((commits += 1) === die) World.crash();
      };
      for (const jump of [5, -5, 50, -30, 3, -20]) {
        world.now += jump * HOUR;
        world.fireAlarm("schedule/s");
        world.pass(1.1 * HOUR);
      }
      world.pass(60 * HOUR);
      const fired = firedHours(world);
      expect(fired.toSorted((a, b) => a - b)).toEqual([...new Set(fired)].toSorted((a, b) => a - b));
      expect(world.runs.size).toBe(fired.length);
      const { nextFireAt } = world.read();
      expect(nextFireAt).toBeLessThanOrEqual(world.now + HOUR);
    }
  });

  test("SCH12 a clock that is set back by less than a minute decides nothing again", () => {
    const world = worldOf({ every: "10s", overlap: "skip" });
    world.runMs = HOUR;
    world.pass(MINUTE);
    const before = world.outcomes();
    for (let nth = 0; nth < 5; nth++) {
      world.now -= 10_000;
      world.fireAlarm("schedule/s");
    }
    expect(world.outcomes()).toEqual(before);
  });

  test("SCH12 a run of a tick after that knows no tick of the future as its previous one", () => {
    const world = worldOf();
    world.now += FAR;
    world.pass(HOUR);
    world.now -= FAR;
    world.read();
    world.pass(HOUR);
    const { schedule } = [...world.runs.values()].at(-1)?.trigger ?? {};
    expect(schedule).not.toHaveProperty("previous");
  });

  test("SCH12 a pause of that time ends, also with catchUp, and what was orphaned then comes back", () => {
    const world = worldOf();
    world.now += FAR;
    world.command({ type: "pause", by: "me" });
    world.now -= FAR;
    world.command({ type: "resume", by: "me", catchUp: true });
    world.pass(HOUR);
    expect(firedHours(world).at(-1)).toBe(2);
  });

  test("SCH12 the list wakes all schedules when its own clock is set back", () => {
    const world = worldOf();
    world.now += FAR;
    world.pass(HOUR);
    world.now -= FAR;
    world.list({ type: "list" });
    world.pass(2 * HOUR);
    expect(firedHours(world).slice(-2)).toEqual([3, 4]);
  });
});
