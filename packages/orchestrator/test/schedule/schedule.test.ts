/** The machine of a schedule: each rule, on a virtual clock. */
import { describe, expect, test } from "vitest";
import { DAY, HOUR, MINUTE, START, World } from "./world.ts";

/** A world with one schedule, hourly unless the fields say otherwise. */
function worldOf(fields: object = {}): World {
  const world = new World();
  world.declare({ cron: "0 * * * *", ...fields });
  return world;
}

const hours = (...given: number[]): string[] => given.map((hour) => `${hour * 60} fired`);

describe("ticks", () => {
  test("SCH4 a tick starts one run, whose id has the time in UTC", () => {
    const world = worldOf();
    world.pass(2.5 * HOUR);
    expect([...world.runs.keys()]).toEqual(["sch_s_20270301T010000Z", "sch_s_20270301T020000Z"]);
    expect(world.outcomes()).toEqual(hours(1, 2));
  });

  test("SCH3 the run knows its tick, the tick before and the next five", () => {
    const world = worldOf();
    world.pass(2.5 * HOUR);
    const { trigger } = world.runs.get("sch_s_20270301T020000Z") ?? {};
    expect(trigger?.schedule).toEqual({
      id: "s",
      kind: "tick",
      nominal: START + 2 * HOUR,
      fireAt: START + 2 * HOUR,
      previous: START + HOUR,
      next: [3, 4, 5, 6, 7].map((hour) => START + hour * HOUR),
    });
    expect(trigger?.parent).toBeUndefined();
  });

  test("SCH4 a repeated start, alarm and answer start nothing", () => {
    const world = worldOf();
    world.fate = () => "is doubled";
    world.pass(HOUR);
    world.fireAlarm("schedule/s");
    world.fireAlarm("schedule/s");
    world.pass(10 * MINUTE);
    expect(world.runs.size).toBe(1);
    expect(world.outcomes()).toEqual(hours(1));
  });

  test("SCH5 the watermark advances by evaluation: a start that is not acknowledged delays no later tick", () => {
    const world = worldOf({ overlap: "allow" });
    world.reachable = false;
    world.pass(3.5 * HOUR);
    expect(world.outcomes()).toEqual(hours(1, 2, 3));
    expect(world.runs.size).toBe(0);
    world.reachable = true;
    world.pass(2 * MINUTE);
    expect(world.runs.size).toBe(3);
    expect(world.outcomes()).toEqual(hours(1, 2, 3));
  });

  test("SCH5 a tick that fires costs at most three requests and eight rows", () => {
    const world = worldOf();
    world.pass(10.5 * HOUR);
    const store = world.store("schedule/s");
    const [rows, requests] = [store.rowsWritten, world.requests];
    world.pass(10 * HOUR);
    expect((store.rowsWritten - rows) / 10).toBeLessThanOrEqual(8);
    expect((world.requests - requests) / 10).toBeLessThanOrEqual(3);
  });

  test("SCH3 each tick fires at the same time after its nominal time, before the next one", () => {
    const offsets = ["10m", "50%", "100%", "3h"].map((spread) => {
      const world = worldOf({ spread });
      world.pass(5 * HOUR);
      const { ticks } = world.read();
      expect(ticks.length).toBeGreaterThanOrEqual(4);
      const found = new Set(ticks.map(({ nominal, fireAt }) => fireAt - nominal));
      expect(found.size).toBe(1);
      for (const { at, fireAt } of ticks) expect(at).toBe(fireAt);
      return [...found][0] ?? -1;
    });
    expect(offsets[0]).toBeGreaterThan(0);
    expect(offsets[0]).toBeLessThan(10 * MINUTE);
    for (const offset of offsets) expect(offset).toBeLessThan(HOUR);
    expect(worldOf({ spread: "10m" }).read().nextFireAt).toBe(START + HOUR + (offsets[0] ?? 0));
  });

  test("SCH1 a schedule ends with until, and with its last date", () => {
    const world = worldOf({ cron: undefined, at: ["2027-03-01T01:00:00Z", "2027-03-01T02:00:00Z"] });
    expect(world.read().status).toBe("active");
    world.pass(DAY);
    expect(world.outcomes()).toEqual(hours(1, 2));
    expect(world.read().status).toBe("ended");
    expect(world.store("schedule/s").alarm).toBeNull();
  });

  test("SCH12 a version that is no longer served is recorded at each tick", () => {
    const world = worldOf({ version: "1" });
    world.refuse = () => "WORKFLOW_NOT_FOUND";
    world.pass(2.5 * HOUR);
    expect(world.outcomes()).toEqual(["60 VERSION_RETIRED", "120 VERSION_RETIRED"]);
    const newest = worldOf();
    newest.refuse = () => "WORKFLOW_NOT_FOUND";
    newest.pass(1.5 * HOUR);
    expect(newest.outcomes()).toEqual(["60 WORKFLOW_NOT_FOUND"]);
  });

  test("SCH5 a full limit is recorded as a skip", () => {
    const world = worldOf();
    world.refuse = () => "LIMIT_FULL";
    world.pass(1.5 * HOUR);
    expect(world.outcomes()).toEqual(["60 limit"]);
  });
});

describe("overlap", () => {
  test("SCH6 skip: a tick is skipped while the earlier run has not ended, and names it", () => {
    const world = worldOf({ overlap: "skip" });
    world.runMs = 2.5 * HOUR;
    world.pass(5.5 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 overlap", "180 overlap", "240 fired", "300 overlap"]);
    expect(world.read().ticks[3]?.byRunId).toBe("sch_s_20270301T010000Z");
  });

  test("SCH6 a paused run, and one that undoes, have not ended", () => {
    const world = worldOf();
    world.runMs = Infinity;
    world.pass(1.5 * HOUR);
    for (const status of ["paused", "waiting", "pending"] as const) {
      for (const run of world.runs.values()) run.status = status;
      world.pass(HOUR);
    }
    expect(world.outcomes()).toEqual(["60 fired", "120 overlap", "180 overlap", "240 overlap"]);
  });

  test("SCH6 a run that was deleted has ended", () => {
    const world = worldOf();
    world.runMs = Infinity;
    world.pass(1.5 * HOUR);
    world.runs.clear();
    world.pass(HOUR);
    expect(world.outcomes()).toEqual(hours(1, 2));
  });

  test("SCH6 queue: one tick waits for the end of the run, and starts soon after it", () => {
    const world = worldOf({ overlap: "queue" });
    world.runMs = 2.5 * HOUR;
    world.pass(3.25 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 queued", "180 overlap"]);
    world.pass(0.5 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 fired", "180 overlap"]);
    const run = world.runs.get("sch_s_20270301T020000Z");
    expect(run?.startedAt).toBeLessThanOrEqual(START + 3.5 * HOUR + 61_000);
  });

  test("SCH6 queue: the ticks that wait start in the order of their times", () => {
    const world = worldOf({ overlap: "queue", queueMax: 3 });
    world.runMs = 6 * HOUR;
    world.pass(6.5 * HOUR);
    expect(world.outcomes()).toEqual([
      "60 fired",
      "120 queued",
      "180 queued",
      "240 queued",
      "300 overlap",
      "360 overlap",
    ]);
    world.runMs = 1_000;
    world.pass(HOUR);
    const started = [...world.runs.values()].map(({ trigger }) => trigger.schedule?.nominal ?? 0);
    expect(started).toEqual([1, 2, 3, 4, 7].map((hour) => START + hour * HOUR));
  });

  test("SCH6 queue: ticks a few seconds apart are decided as they come, and start soon after the end of the run", () => {
    const world = worldOf({ cron: undefined, every: "5s", overlap: "queue" });
    world.runMs = 10 * MINUTE;
    for (let past = 0; past < 9 * MINUTE; past += 1_000) {
      world.pass(1_000);
      expect(world.outcomes().filter((line) => line.endsWith("queued")).length).toBeLessThanOrEqual(1);
    }
    world.runMs = 1_000;
    world.pass(2 * MINUTE);
    const [, second] = [...world.runs.values()];
    expect(second?.startedAt).toBeLessThanOrEqual(START + 10 * MINUTE + 15_000);
  });

  test("SCH6 replace: the run is cancelled, and the newest tick starts after its end", () => {
    const world = worldOf({ overlap: "replace" });
    world.runMs = Infinity;
    world.pass(1.5 * HOUR);
    world.runMs = 1_000;
    world.pass(HOUR);
    expect(world.runs.get("sch_s_20270301T010000Z")?.status).toBe("cancelled");
    expect(world.outcomes()).toEqual(hours(1, 2));
    const next = world.runs.get("sch_s_20270301T020000Z");
    expect(next?.startedAt).toBeGreaterThanOrEqual(START + 2 * HOUR + 500);
    expect(next?.startedAt).toBeLessThan(START + 2 * HOUR + 10_000);
  });

  test("SCH6 allow: runs overlap, and no run is asked", () => {
    const world = worldOf({ overlap: "allow" });
    world.runMs = Infinity;
    world.pass(3.5 * HOUR);
    expect(world.runs.size).toBe(3);
  });

  test("SCH6 a run that does not answer decides nothing: it is asked again", () => {
    const world = worldOf();
    world.pass(1.5 * HOUR);
    world.reachable = false;
    world.pass(2 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 queued", "180 queued"]);
    world.reachable = true;
    world.pass(2 * MINUTE);
    expect(world.outcomes()).toEqual(["60 fired", "120 fired", "180 overlap"]);
  });
});

describe("missed ticks", () => {
  /** Every ten minutes; the machine is off for a day. */
  function dayOff(fields: object): World {
    const world = worldOf({ cron: "*/10 * * * *", ...fields });
    world.pass(15 * MINUTE);
    world.off = true;
    world.pass(DAY);
    world.off = false;
    return world;
  }

  const counts = (world: World): object => {
    const { fired, skipped } = world.read().counts;
    return { fired, skipped };
  };

  test("SCH7 latest: of a day, the newest missed tick starts, and each other one is recorded", () => {
    const world = dayOff({ catchUp: "latest" });
    world.pass(MINUTE);
    expect(counts(world)).toEqual({ fired: 2, skipped: { late: 143 } });
    expect([...world.runs.keys()].at(-1)).toBe("sch_s_20270302T001000Z");
  });

  test("SCH7 latest: a tick that is older than a day does not start", () => {
    const world = worldOf({ cron: "0 0 2 * *" });
    world.pass(HOUR);
    world.off = true;
    world.pass(2 * DAY + MINUTE);
    world.off = false;
    world.pass(MINUTE);
    expect(counts(world)).toEqual({ fired: 0, skipped: { late: 1 } });
    const younger = worldOf({ cron: "0 0 2 * *" });
    younger.off = true;
    younger.pass(2 * DAY - MINUTE);
    younger.off = false;
    younger.pass(MINUTE);
    expect(counts(younger)).toEqual({ fired: 1, skipped: {} });
  });

  test("SCH7 all: a hundred missed ticks start, the oldest first, a second apart", () => {
    const world = dayOff({ catchUp: "all", overlap: "allow" });
    world.pass(4 * MINUTE);
    expect(counts(world)).toEqual({ fired: 101, skipped: { late: 44 } });
    const started = [...world.runs.values()].slice(1);
    expect(started.map(({ trigger }) => trigger.schedule?.nominal)).toEqual(
      started.map((_, nth) => START + (20 + 10 * nth) * MINUTE),
    );
    for (const [nth, run] of started.entries()) expect(run.startedAt - (started[0]?.startedAt ?? 0)).toBe(nth * 1_000);
  });

  test("SCH7 all: overlap is decided afterwards", () => {
    const world = dayOff({ catchUp: "all", overlap: "skip" });
    world.runMs = 10_500;
    world.pass(4 * MINUTE);
    const { fired, skipped } = world.read().counts;
    expect(skipped["late"]).toBe(44);
    expect(fired + (skipped["overlap"] ?? 0)).toBe(101);
    expect(skipped["overlap"]).toBeGreaterThan(50);
  });

  test("SCH7 none: a tick that is more than a minute late does not start", () => {
    const world = dayOff({ catchUp: "none" });
    world.pass(MINUTE);
    expect(counts(world)).toEqual({ fired: 1, skipped: { late: 144 } });
    const soon = worldOf({ catchUp: "none" });
    soon.off = true;
    soon.pass(HOUR + 59_000);
    soon.off = false;
    soon.pass(MINUTE);
    expect(counts(soon)).toEqual({ fired: 1, skipped: {} });
  });

  test("SCH7 a frequent schedule that was off for a month decides with bounded work, and covers all ticks", () => {
    const world = worldOf({ cron: undefined, every: "1s" });
    world.pass(1_500);
    world.off = true;
    world.pass(30 * DAY);
    world.off = false;
    world.pass(0);
    const { counts: counted, ticks } = world.read();
    expect(counted.fired).toBe(2);
    const range = ticks.find(({ until }) => until !== undefined);
    expect(range).toMatchObject({ reason: "late", until: START + 30 * DAY + 1_000 });
    expect(world.store("schedule/s").rows.size).toBeLessThan(2_020);
  });
});

describe("clock and alarms", () => {
  test("SCH12 a clock that was set back fires no tick twice", () => {
    const world = worldOf();
    world.pass(3.5 * HOUR);
    world.now -= 2 * HOUR;
    world.fireAlarm("schedule/s");
    world.pass(2.25 * HOUR);
    expect(world.outcomes()).toEqual(hours(1, 2, 3));
    world.pass(0.5 * HOUR);
    expect(world.outcomes()).toEqual(hours(1, 2, 3, 4));
  });

  test("SCH11 the list wakes a schedule whose alarm was dropped", () => {
    const world = worldOf();
    world.pass(0.5 * HOUR);
    world.store("schedule/s").alarm = null;
    world.pass(0.75 * HOUR);
    expect(world.outcomes()).toEqual(hours(1));
    expect(world.runs.get("sch_s_20270301T010000Z")?.startedAt).toBe(START + HOUR + 2 * MINUTE);
    world.pass(HOUR);
    expect(world.outcomes()).toEqual(hours(1, 2));
  });

  test("SCH11 the list gets the time of a frequent schedule at intervals only", () => {
    const world = worldOf({ cron: "* * * * *" });
    world.pass(10.5 * MINUTE);
    const { requests } = world;
    world.pass(60 * MINUTE);
    // Two requests for each tick: the question and the start.
    expect(world.requests - requests).toBeLessThan(60 * 2 + 20);
  });
});

describe("pause", () => {
  test("SCH8 ticks in a pause are skipped, and resume continues with the next one", () => {
    const world = worldOf();
    world.pass(1.5 * HOUR);
    expect(world.command({ type: "pause", by: "me", reason: "maintenance" })).toMatchObject({
      schedule: { status: "paused", paused: { by: "me", reason: "maintenance" } },
    });
    world.pass(2 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 paused", "180 paused"]);
    world.command({ type: "resume", by: "me", catchUp: false });
    world.pass(HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 paused", "180 paused", "240 fired"]);
  });

  test("SCH8 resume with catchUp treats the ticks of the pause as missed", () => {
    const world = worldOf({ catchUp: "all", overlap: "allow" });
    world.pass(1.5 * HOUR);
    world.command({ type: "pause", by: "me" });
    world.pass(2 * HOUR);
    expect(world.outcomes()).toEqual(["60 fired", "120 paused", "180 paused"]);
    world.command({ type: "resume", by: "me", catchUp: true });
    world.pass(MINUTE);
    expect(world.outcomes().slice(3)).toEqual(hours(2, 3));
    expect(world.runs.size).toBe(3);
  });

  test("SCH8 three failed runs in a row pause the schedule, which says so", () => {
    const world = worldOf({ onFailures: { pauseAfter: 3 } });
    world.endsAs = "failed";
    world.pass(5.5 * HOUR);
    expect(world.outcomes()).toEqual([...hours(1, 2, 3), "240 paused", "300 paused"]);
    const { status, paused } = world.read();
    expect(status).toBe("paused");
    expect(paused).toMatchObject({ by: "failures" });
    expect(paused?.reason).toContain("3 runs in a row have failed");
    world.endsAs = "completed";
    world.command({ type: "resume", by: "me", catchUp: false });
    world.pass(3 * HOUR);
    expect(world.read().status).toBe("active");
  });

  test("SCH8 a run that completes ends the row of failures", () => {
    const world = worldOf({ onFailures: { pauseAfter: 2 } });
    for (const endsAs of ["failed", "completed", "failed", "completed"] as const) {
      world.endsAs = endsAs;
      world.pass(HOUR);
    }
    expect(world.read().status).toBe("active");
  });

  test("SCH8 a tick that waits when the schedule is paused is skipped, and caught up with", () => {
    const world = worldOf({ overlap: "queue" });
    world.runMs = 90 * MINUTE;
    world.pass(2.25 * HOUR);
    world.command({ type: "pause", by: "me" });
    expect(world.outcomes()).toEqual(["60 fired", "120 paused"]);
    world.pass(30 * MINUTE);
    world.command({ type: "resume", by: "me", catchUp: true });
    world.pass(MINUTE);
    expect(world.outcomes().slice(2)).toEqual(hours(2));
  });
});
