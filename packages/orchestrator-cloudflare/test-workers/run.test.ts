import { beforeEach, describe, expect, test } from "vitest";
import { call, evict, fireAlarm, inObject, read, signal, trigger, untilStatus } from "./api-client.ts";
import { abortAll, resetAfterEach } from "./declared-output.ts";
import { effects, held } from "./workflows.ts";

beforeEach(() => {
  effects.length = 0;
  held.clear();
});
resetAfterEach();

describe("durability", () => {
  test("DUR3 a waiting run continues after an abort of its object, and no completed step runs again", async () => {
    expect(await trigger("order", "r1")).toMatchObject({
      status: "waiting",
      steps: [{ name: "reserve", status: "completed" }],
    });
    await abortAll();
    expect(await signal("r1", "approval", "yes")).toMatchObject({ delivery: "resolved" });
    expect(await untilStatus("r1", "completed")).toMatchObject({
      output: { reserve: "reserve", approval: "yes", ship: "ship" },
    });
    expect(effects).toEqual(["r1 reserve", "r1 ship"]);
  });

  test("DUR5 the alarm alone continues a run whose object was aborted during a step", async () => {
    await trigger("held", "r1", null, 0);
    await expect.poll(() => held.size).toBe(1);
    await abortAll();
    expect(await fireAlarm("r1")).toBe(true);
    await expect.poll(() => effects.length).toBe(2);
    await inObject("r1", () => held.get("r1 1")?.end("second"));
    expect(await untilStatus("r1", "completed")).toMatchObject({ output: "second", invocationCount: 2 });
  });

  test(
    "DUR5 a run that was aborted right after the 201 ends by its own alarm, without any request",
    { timeout: 30_000 },
    async () => {
      await trigger("sequence", "r1", 3, 0);
      await abortAll();
      expect(await untilStatus("r1", "completed")).toMatchObject({ output: 3 });
    },
  );

  test("DUR5 an ended run has no alarm", async () => {
    await trigger("sequence", "r1", 3);
    expect(await inObject("r1", (state) => state.storage.getAlarm())).toBeNull();
  });
});

describe("waits", () => {
  test("WAIT4 the alarm times out a wait without any request, also after an eviction", async () => {
    expect(await trigger("patient", "r1")).toMatchObject({ status: "waiting" });
    await evict("r1");
    const { startedAt, endedAt, output } = await untilStatus("r1", "completed");
    expect(output).toBeNull();
    expect(endedAt - startedAt).toBeGreaterThanOrEqual(300);
    expect(endedAt - startedAt).toBeLessThan(15_000);
  });

  test("WAIT1 DUR5 WAIT4 sequential waits without time end", async () => {
    await trigger("no time", "r1");
    await signal("r1", "go");
    expect(await untilStatus("r1", "completed")).toMatchObject({ output: 60 });
  });

  test(
    "WAIT1 DUR5 REP8 in a run without flags, alarms end waits without time, also after an abort",
    { timeout: 30_000 },
    async () => {
      await trigger("no time", "r1");
      await inObject("r1", ({ storage }) => {
        const { flags: _flags, ...header } = storage.kv.get<Record<string, unknown>>("record") ?? {};
        storage.kv.put("record", header);
      });
      await evict("r1");
      await signal("r1", "go");
      await abortAll();
      expect(await untilStatus("r1", "completed")).toMatchObject({ output: 60 });
    },
  );

  test("WAIT1 DUR5 sleeps end on time while a step of the same run executes", async () => {
    await trigger("sleeps beside a step", "r1", null, 0);
    await expect.poll(() => effects.length, { timeout: 15_000 }).toBe(1);
    expect(Number(effects[0])).toBeGreaterThanOrEqual(1_000);
    expect(Number(effects[0])).toBeLessThan(4_000);
    await inObject("r1", () => held.get("r1 1")?.end("done"));
    expect(await untilStatus("r1", "completed")).toMatchObject({ output: "done" });
  });

  test("WAIT1 the object's alarm is set to the run's next timer", async () => {
    const { pendingWaitpoints } = await trigger("order", "r1");
    expect(await inObject("r1", (state) => state.storage.getAlarm())).toBe(pendingWaitpoints[0]?.wakeAt);
  });

  test("WAIT2 signals before the wait stay buffered over an eviction and resolve the waits in order", async () => {
    await trigger("race", "r1");
    expect(await signal("r1", "end")).toMatchObject({ delivery: "buffered" });
    await evict("r1");
    expect(await signal("r1", "a", "first")).toMatchObject({ delivery: "resolved" });
    expect(await untilStatus("r1", "completed")).toMatchObject({ output: { winner: "first", both: [1, 2] } });
  });

  test("WAIT8 a signal to an ended run is rejected", async () => {
    await trigger("sequence", "r1", 1);
    const answer = await call("/api/runs/r1/signals", { name: "late" });
    expect([answer.status, await answer.json()]).toMatchObject([409, { error: "run_terminal" }]);
  });
});

describe("replay", () => {
  test("REP2 races of steps against any number of microtasks have the same winners in the replay", async () => {
    await trigger("races", "r1");
    await evict("r1");
    await signal("r1", "end");
    expect(await untilStatus("r1", "completed")).toMatchObject({ status: "completed" });
    expect(effects).toEqual([effects[0], effects[0]]);
    expect(new Set(effects[0]?.split(","))).toEqual(new Set(["ends at once", "awaits", "pure code"]));
  });

  test("CAN1 a cancel ends an endless loop of steps whose bodies end at once", async () => {
    await trigger("endless", "r1", null, 0);
    await call("/api/runs/r1/cancel", {});
    expect(await untilStatus("r1", "cancelled")).toMatchObject({ status: "cancelled" });
  });

  test("CAN1 a timer fires during a loop of steps whose bodies end at once", async () => {
    await trigger("until-timer", "r1", null, 0);
    expect(await untilStatus("r1", "completed")).toMatchObject({ output: "fired" });
  });

  test("REP2 a sleep that won a race also wins it in the replay after an abort", async () => {
    await trigger("race", "r1");
    await expect.poll(async () => (await read("r1")).steps.length, { timeout: 5_000 }).toBe(2);
    await untilStatus("r1", "waiting");
    await abortAll();
    await signal("r1", "a", "too late");
    await signal("r1", "end");
    expect(await untilStatus("r1", "completed")).toMatchObject({
      output: { winner: "slept", both: [1, 2] },
      invocationCount: 2,
    });
  });
});

describe("steps", () => {
  test("STEP2 a step that fails twice makes three attempts by alarms, at the policy's delays, also after an eviction", async () => {
    await trigger("flaky", "r1");
    await evict("r1");
    expect(await untilStatus("r1", "completed")).toMatchObject({ output: 3, steps: [{ attempts: 3 }] });
    const times = effects.map((line) => Number(line.split(" ").at(-1)));
    expect(effects.map((line) => line.split(" ")[2])).toEqual(["1", "2", "3"]);
    for (const i of [1, 2]) expect((times[i] as number) - (times[i - 1] as number)).toBeGreaterThanOrEqual(200);
  });

  test("STEP8 bodies see the async context of the place that requested their steps, also when an alarm repeats them", async () => {
    await trigger("spans", "r1");
    await untilStatus("r1", "waiting");
    await signal("r1", "go");
    expect(await untilStatus("r1", "completed")).toMatchObject({ steps: [{ attempts: 1 }, { attempts: 2 }, {}] });
    expect(effects).toEqual([
      "at once in first",
      "attempt 1 in second",
      "attempt 2 in second",
      "after the signal in third",
    ]);
  });

  test("STEP8 the record shows the progress of an executing body, and keeps the last one", async () => {
    await trigger("held", "r1", null, 0);
    await expect.poll(() => held.size).toBe(1);
    const report = (percent: number): Promise<void> => inObject("r1", () => held.get("r1 1")?.progress({ percent }));
    for (const percent of [1, 2, 40]) await report(percent);
    await expect
      .poll(async () => (await read("r1")).steps, { timeout: 5_000 })
      .toMatchObject([{ progress: { percent: 40 } }]);
    await report(99);
    await inObject("r1", () => held.get("r1 1")?.end("done"));
    expect(await untilStatus("r1", "completed")).toMatchObject({ steps: [{ progress: { percent: 99 } }] });
  });

  test("STEP5 a result of several megabytes is stored in parts and is complete after an abort", async () => {
    await trigger("large", "r1", 3_000_000);
    const keys = await inObject("r1", (state) => [...state.storage.kv.list()].map(([key]) => key));
    expect(keys.filter((key) => key.startsWith("part/")).length).toBeGreaterThan(5);
    await abortAll();
    await signal("r1", "end");
    const { output } = await untilStatus("r1", "completed");
    expect((output as [number, string])[0]).toBe(3_000_000);
    expect((output as [number, string])[1]).toHaveLength(3_000_000);
  });

  test("STEP5 no row exceeds the platform's limit", async () => {
    await trigger("large", "r1", 3_000_000);
    const largest = await inObject("r1", (state) =>
      Math.max(...[...state.storage.kv.list()].map(([, row]) => JSON.stringify(row).length)),
    );
    expect(largest * 2).toBeLessThan(2_000_000);
  });
});

describe("cancel", () => {
  test("CAN1 a cancel during a step aborts its signal, and the late result changes nothing", async () => {
    await trigger("held", "r1", null, 0);
    await expect.poll(() => held.size).toBe(1);
    expect((await read("r1")).steps).toMatchObject([{ name: "hold", status: "running", attempts: 1 }]);
    expect((await call("/api/runs/r1/cancel", {})).status).toBe(202);
    const { signal: bodySignal, end } = held.get("r1 1") ?? {};
    expect(bodySignal?.aborted).toBe(true);
    await inObject("r1", () => end?.("late"));
    await untilStatus("r1", "cancelled");
    await abortAll();
    expect(await read("r1")).toMatchObject({ status: "cancelled", error: { code: "CANCELLED" } });
  });
});

describe("cost", () => {
  test("REP6 a run of 5,000 steps has 5,001 rows, and its cost per step is constant", async () => {
    const perStepMs: number[] = [];
    for (const count of [500, 5_000]) {
      const { startedAt, endedAt, output } = await trigger("sequence", `r${count}`, count, 60);
      expect(output).toBe(count);
      perStepMs.push((endedAt - startedAt) / count);
    }
    const rows = await inObject("r5000", (state) => [...state.storage.kv.list()].length);
    expect(rows).toBe(5_001);
    // A quadratic cost would be ten times as high. The bound allows for a busy machine.
    expect(perStepMs[1] as number).toBeLessThan(Math.max(4 * (perStepMs[0] as number), 0.5));
  });

  test("REP6 a step writes one row: a run of 200 steps has 201 rows", async () => {
    await trigger("sequence", "r1", 200);
    const { rows, journal } = await inObject("r1", (state) => {
      const keys = [...state.storage.kv.list()].map(([key]) => key);
      return { rows: keys.length, journal: keys.filter((key) => key.startsWith("journal/")).length };
    });
    expect([rows, journal]).toEqual([201, 200]);
  });
});
