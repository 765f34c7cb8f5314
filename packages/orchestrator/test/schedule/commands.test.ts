/** What callers and the code do with schedules: changes, manual runs, backfills, deletion, and the declarations of builds. */
import { HOST_LIMITS } from "@holdfast/protocol";
import { describe, expect, test } from "vitest";
import { readDeclaration } from "../../src/schedule/declaration.ts";
import { DAY, HOUR, MINUTE, START, World } from "./world.ts";

const config = (fields: object = {}) =>
  readDeclaration({ id: "s", workflow: "w", cron: "0 * * * *", ...fields }, "schedule");

function worldOf(fields: object = {}): World {
  const world = new World();
  world.declare({ cron: "0 * * * *", ...fields });
  return world;
}

const hours = (...given: number[]): string[] => given.map((hour) => `${hour * 60} fired`);

/** What the code of a build declares. */
function sync(world: World, rev: number, ids: readonly string[], more: object = {}): Record<string, unknown> {
  const schedules = ids.map((id) => config({ id }));
  return world.list({ type: "sync", rev, schedules, environment: "production", force: false, dryRun: false, ...more });
}

const changesOf = ({ changes }: Record<string, unknown>): string[] =>
  (changes as { id: string; change: string }[]).map(({ id, change }) => `${id} ${change}`);

const listed = (world: World): string[] =>
  (world.list({ type: "list" })["schedules"] as { id: string; status: string; source: string }[]).map(
    ({ id, status, source }) => `${id} ${status} ${source}`,
  );

describe("changes", () => {
  test("SCH8 the list names the caller who paused a schedule, and what became of its newest tick", () => {
    const world = worldOf({ every: "1m" });
    world.runMs = Infinity;
    world.pass(2.5 * MINUTE);
    world.command({ type: "pause", by: "me" });
    world.pass(1);
    const [entry] = world.list({ type: "list" })["schedules"] as readonly object[];
    expect(entry).toMatchObject({ paused: { by: "me" }, last: { outcome: "skipped", nominal: START + 2 * MINUTE } });
  });

  test("SCH5 the list has the newest tick, also if the message about an earlier one decides it", () => {
    const world = worldOf({ every: "1m", overlap: "allow" });
    world.runMs = Infinity;
    world.pass(5.5 * MINUTE);
    // The message arrives before the alarm, in the commit that reports the next tick to the list.
    world.now = START + 6 * MINUTE + 1;
    world.host("schedule", "s").receive({ type: "notAdmitted", runId: "sch_s_20270301T000100Z" });
    world.settle();
    expect(world.outcomes()).toEqual(["1 limit", "2 fired", "3 fired", "4 fired", "5 fired", "6 fired"]);
    const [entry] = world.list({ type: "list" })["schedules"] as readonly object[];
    expect(entry).toMatchObject({ last: { outcome: "fired", nominal: START + 6 * MINUTE } });
  });

  test("SCH9 an id stands for one schedule, and a repeated creation changes nothing", () => {
    const world = worldOf();
    const create = { type: "create", by: "me", environment: "production" } as const;
    expect(world.command({ ...create, config: config() })).toMatchObject({ schedule: { status: "active" } });
    expect(world.command({ ...create, config: config({ cron: "1 * * * *" }) })).toMatchObject({
      refused: "schedule_exists",
    });
    expect(world.command({ type: "pause", by: "me" }, "other")).toMatchObject({ refused: "not_found" });
  });

  test("SCH5 a new pattern applies from now on: no tick of it is in the past", () => {
    const world = worldOf();
    world.pass(1.5 * HOUR);
    world.command({ type: "update", config: config({ cron: "*/10 * * * *" }), by: "me" });
    world.pass(25 * MINUTE);
    expect(world.outcomes()).toEqual(["60 fired", "100 fired", "110 fired"]);
  });

  test("SCH3 a change of the input keeps a tick that is spread", () => {
    const world = worldOf({ spread: "100%" });
    world.pass(HOUR + 1_000);
    const { nextFireAt } = world.read();
    world.command({ type: "update", config: config({ spread: "100%", input: { changed: true } }), by: "me" });
    expect(world.read().nextFireAt).toBe(nextFireAt);
  });

  test("SCH10 a deleted schedule fires no more, leaves no row, and its id can be used again", () => {
    const world = worldOf();
    world.pass(1.5 * HOUR);
    expect(world.command({ type: "delete" })).toEqual({});
    world.pass(DAY);
    expect(world.runs.size).toBe(1);
    expect(world.store("schedule/s").rows.size).toBe(0);
    expect(listed(world)).toEqual([]);
    world.declare({ cron: "0 * * * *" });
    world.pass(HOUR);
    expect(world.runs.size).toBe(2);
    expect(listed(world)).toEqual(["s active api"]);
  });
});

describe("manual runs and backfills", () => {
  test("SCH4 a manual start that is requested again starts one run, and is one tick", () => {
    const world = worldOf();
    const trigger = { type: "trigger", by: "me", unique: "k" } as const;
    expect(world.command(trigger)).toMatchObject({ runId: "sch_s_m_k" });
    world.pass(MINUTE);
    expect(world.command(trigger)).toMatchObject({ runId: "sch_s_m_k" });
    expect(world.read().ticks).toMatchObject([{ kind: "manual", outcome: "fired" }]);
    expect(world.read().counts.fired).toBe(1);
  });

  test("SCH4 a manual run has an id of its own, starts whatever executes, and delays no tick", () => {
    const world = worldOf();
    world.runMs = Infinity;
    world.pass(1.5 * HOUR);
    expect(world.command({ type: "trigger", by: "me", unique: "01ABC" })).toMatchObject({ runId: "sch_s_m_01ABC" });
    expect(world.runs.get("sch_s_m_01ABC")?.trigger.schedule).toMatchObject({ kind: "manual", previous: START + HOUR });
    for (const run of world.runs.values()) run.status = "completed";
    world.runs.get("sch_s_m_01ABC")!.status = "running";
    world.pass(HOUR);
    expect(world.runs.size).toBe(3);
  });

  const request = {
    id: "b",
    from: START - 5 * HOUR,
    until: START,
    rate: 60,
    newestFirst: false,
    again: false,
    by: "me",
  };

  test("SCH10 a backfill starts the runs of past ticks, one after the other", () => {
    const world = worldOf();
    world.runMs = 30_000;
    world.backfill({ ...request, overlap: "queue" });
    expect(world.read().backfill).toMatchObject({ total: 5 });
    world.pass(10 * MINUTE);
    expect(world.read().backfill).toBeUndefined();
    const runs = [...world.runs.values()];
    expect(runs.map(({ trigger }) => (trigger.schedule?.nominal ?? 0) - START)).toEqual(
      [-5, -4, -3, -2, -1].map((n) => n * HOUR),
    );
    for (const [nth, run] of runs.slice(1).entries())
      expect(run.startedAt).toBeGreaterThanOrEqual(runs[nth]?.endsAt ?? Infinity);
    expect(runs[0]?.trigger.schedule?.kind).toBe("backfill");
  });

  test("SCH10 a backfill may overlap at its rate, the newest first, and what ran does not run again", () => {
    const world = worldOf();
    world.runMs = HOUR;
    world.pass(2.5 * HOUR);
    expect(world.runs.size).toBe(2);
    world.backfill({ ...request, until: START + 2 * HOUR, rate: 30, newestFirst: true, overlap: "allow" });
    world.pass(MINUTE);
    const started = [...world.runs.values()].slice(2);
    expect(started.map(({ trigger }) => (trigger.schedule?.nominal ?? 0) - START)).toEqual(
      [0, -1, -2, -3, -4, -5].map((n) => n * HOUR),
    );
    expect((started[1]?.startedAt ?? 0) - (started[0]?.startedAt ?? 0)).toBe(2_000);
    world.backfill({ ...request, overlap: "allow", again: true });
    world.pass(MINUTE);
    expect(world.runs.has("sch_s_20270228T190000Z_b1")).toBe(true);
  });

  test("SCH10 a backfill has at most 10,000 ticks, one is in progress at a time, and it can be cancelled", () => {
    const world = worldOf({ cron: "* * * * *" });
    const tooLarge = { ...request, from: START - 8 * DAY, overlap: "allow" } as const;
    expect(world.backfill(tooLarge)).toMatchObject({ refused: "invalid_body" });
    const fits = { ...request, overlap: "allow", rate: 1 } as const;
    expect(world.plan(fits)["times"]).toHaveLength(300);
    expect(world.runs.size).toBe(0);
    expect(world.backfill(fits)).toMatchObject({ total: 300 });
    expect(world.backfill(fits)).toMatchObject({ refused: "not_applicable" });
    world.command({ type: "cancelBackfill" });
    expect(world.read().backfill).toBeUndefined();
    expect(world.runs.size).toBe(1);
  });

  test("SCH10 the largest backfill is planned in parts, and begins with the times of one declaration only", () => {
    const world = worldOf({ cron: "* * * * *" });
    const largest = { ...request, from: START - 10_000 * MINUTE, overlap: "allow", rate: 1 } as const;
    let answers = 0;
    const { times } = world.plan(largest, () => answers++) as { times: number[] };
    expect(answers).toBeGreaterThan(10_000 / HOST_LIMITS.backfillPlanTicks - 1);
    expect(times).toEqual(Array.from({ length: 10_000 }, (_, n) => largest.from + n * MINUTE));
    const half = config({ cron: "*/2 * * * *" });
    const changed = world.backfill(largest, () => world.command({ type: "update", config: half, by: "me" }));
    expect(changed).toMatchObject({ refused: "not_applicable", message: expect.stringContaining("Send the request") });
    expect(world.read().backfill).toBeUndefined();
    expect(world.backfill(largest)).toMatchObject({
      total: 5_000,
      times: Array.from({ length: 10 }, () => expect.anything()),
    });
  });

  test("SCH10 a backfill of the future is refused: its ticks would find their runs, and not fire", () => {
    const world = worldOf();
    world.pass(2.5 * HOUR);
    const until = (time: number) => ({ ...request, from: START, until: time, overlap: "queue" }) as const;
    expect(world.backfill(until(world.now + 1))).toMatchObject({ refused: "invalid_body" });
    expect(world.plan(until(world.now))["times"]).toHaveLength(3);
    world.pass(HOUR);
    expect(world.outcomes()).toEqual(hours(1, 2, 3));
  });

  test("SCH10 a run that exists with another input is recorded, and stops no backfill", () => {
    const world = worldOf();
    world.refuse = ({ schedule }) => (schedule?.nominal === START - 3 * HOUR ? "IDEMPOTENCY_CONFLICT" : undefined);
    world.backfill({ ...request, overlap: "queue" });
    world.pass(MINUTE);
    expect(world.outcomes()).toEqual(["-300 fired", "-240 fired", "-180 exists", "-120 fired", "-60 fired"]);
  });

  test("SCH10 the times of a preview say which change of the clock they meet", () => {
    const world = new World();
    world.declare({ cron: "30 2 * * *", tz: "America/New_York", from: "2027-03-13T00:00:00Z" });
    expect(world.read().next.slice(0, 3)).toMatchObject([
      { local: "2027-03-13T02:30:00-05:00" },
      { local: "2027-03-14T03:00:00-04:00", note: expect.stringContaining("no local times are between") },
      { local: "2027-03-15T02:30:00-04:00", note: expect.stringContaining("has changed from -05:00 to -04:00") },
    ]);
    const midnight = new World();
    midnight.declare({ id: "m", cron: "30 23 * * *", tz: "America/Nuuk", from: "2027-03-27T12:00:00Z" });
    expect(midnight.read("m").next[0]).toMatchObject({
      local: "2027-03-28T00:00:00-01:00",
      note: expect.stringContaining("between 22:59:59 and 00:00:00"),
    });
    const back = new World();
    back.declare({ id: "b", cron: "30 1 * * *", tz: "America/New_York", from: "2027-11-07T00:00:00Z" });
    expect(back.read("b").next[0]).toMatchObject({ note: expect.stringContaining("occurs twice") });
  });
});

describe("declared in code", () => {
  test("SCH9 the first build creates its schedules, and the same build changes nothing", () => {
    const world = new World();
    expect(changesOf(sync(world, 1, ["a", "b"]))).toEqual(["a created", "b created"]);
    expect(listed(world)).toEqual(["a active code", "b active code"]);
    const { commits } = world.store("schedule/a");
    sync(world, 1, ["a", "b"]);
    expect(world.store("schedule/a").commits).toBe(commits);
    world.pass(1.5 * HOUR);
    expect(world.runs.size).toBe(2);
  });

  test("SCH9 a dry run says what would change, and changes nothing", () => {
    const world = new World();
    sync(world, 1, ["a", "b"]);
    expect(changesOf(sync(world, 2, ["b", "c"], { dryRun: true }))).toEqual(["b unchanged", "c created", "a orphaned"]);
    expect(listed(world)).toEqual(["a active code", "b active code"]);
  });

  test("SCH9 two builds that alternate do not change a schedule back and forth", () => {
    const world = new World();
    sync(world, 2, ["a", "b"]);
    expect(sync(world, 1, ["a"])).toMatchObject({ stale: true, appliedRev: 2 });
    expect(listed(world)).toEqual(["a active code", "b active code"]);
  });

  test("SCH9 what is gone from the code is orphaned, fires no more, and comes back with a later build", () => {
    const world = new World();
    sync(world, 1, ["a", "b"]);
    sync(world, 2, ["b"]);
    expect(listed(world)).toEqual(["a orphaned code", "b active code"]);
    world.pass(1.5 * HOUR);
    expect(world.outcomes("a")).toEqual([]);
    expect(world.command({ type: "trigger", by: "me", unique: "1" }, "a")).toMatchObject({ refused: "not_applicable" });
    sync(world, 3, ["a", "b"]);
    expect(listed(world)).toEqual(["a active code", "b active code"]);
    world.pass(HOUR);
    expect(world.outcomes("a")).toEqual(hours(2));
  });

  test("SCH9 an orphan is deleted after thirty days", () => {
    const world = new World();
    sync(world, 1, ["a"]);
    sync(world, 2, []);
    world.pass(30 * DAY - MINUTE);
    expect(listed(world)).toEqual(["a orphaned code"]);
    world.pass(5 * MINUTE);
    expect(listed(world)).toEqual([]);
    expect(world.store("schedule/a").rows.size).toBe(0);
  });

  test("SCH9 a rollback applies when an operator says that later builds are void, and the next build after it, too", () => {
    const world = new World();
    sync(world, 1, ["a"]);
    sync(world, 5, ["b"]);
    expect(sync(world, 1, ["a"], { force: true })).toMatchObject({ stale: false, appliedRev: 1 });
    expect(listed(world)).toEqual(["a active code", "b orphaned code"]);
    sync(world, 6, ["a", "b"]);
    expect(listed(world)).toEqual(["a active code", "b active code"]);
  });

  test("SCH9 a later build that still gets a request does not apply after a rollback, until an operator applies it again", () => {
    const world = new World();
    for (const [rev, id] of [
      [1, "a"],
      [3, "b"],
      [5, "c"],
    ] as const)
      sync(world, rev, [id]);
    sync(world, 1, ["a"], { force: true });
    for (const rev of [5, 3]) expect(sync(world, rev, ["b"])).toMatchObject({ stale: true, appliedRev: 1 });
    expect(listed(world)).toEqual(["a active code", "b orphaned code", "c orphaned code"]);
    expect(sync(world, 3, ["b"], { force: true })).toMatchObject({ stale: false, appliedRev: 3 });
    expect(sync(world, 5, ["c"])).toMatchObject({ stale: true, appliedRev: 3 });
    expect(sync(world, 1, ["a"])).toMatchObject({ stale: true, appliedRev: 3 });
    expect(listed(world)).toEqual(["a orphaned code", "b active code", "c orphaned code"]);
  });

  test("SCH9 code never changes a schedule of the API, and the API none of the code", () => {
    const world = worldOf();
    expect(changesOf(sync(world, 1, ["s", "a"]))).toEqual(["s conflict", "a created"]);
    expect(changesOf(sync(world, 2, []))).toEqual(["a orphaned"]);
    expect(listed(world)).toEqual(["a orphaned code", "s active api"]);
    sync(world, 3, ["a"]);
    expect(world.command({ type: "update", config: config({ id: "a" }), by: "me" }, "a")).toMatchObject({
      refused: "not_applicable",
    });
    expect(world.command({ type: "delete" }, "a")).toMatchObject({ refused: "not_applicable" });
  });

  test("SCH8 an operator's pause survives a deploy", () => {
    const world = new World();
    sync(world, 1, ["a"]);
    world.command({ type: "pause", by: "me" }, "a");
    const schedules = [config({ id: "a", cron: "30 * * * *" })];
    world.list({ type: "sync", rev: 2, schedules, environment: "production", force: false, dryRun: false });
    expect(listed(world)).toEqual(["a paused code"]);
    world.command({ type: "resume", by: "me", catchUp: false }, "a");
    world.pass(HOUR);
    expect(world.outcomes("a")).toEqual(["30 fired"]);
  });
});
