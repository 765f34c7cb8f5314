/** tests: runs where the clock does not move at all, which is worse than on any platform */
import { beforeEach, expect, test } from "vitest";
import { evict, signal, trigger, untilStatus } from "./api-client.ts";
import { resetAfterEach } from "./declared-output.ts";
import { letClockStand } from "./standing-clock.ts";
import { effects } from "./workflows.ts";

resetAfterEach();
letClockStand("never");
beforeEach(() => {
  effects.length = 0;
});

test("CAN1 a loop of steps lets timers fire, by the number of its turns", async () => {
  expect(await trigger("until-timer", "r1")).toMatchObject({ status: "completed", output: "fired" });
});

test("REP2 races have the same winners in the replay", async () => {
  await trigger("races", "r1");
  await evict("r1");
  await signal("r1", "end");
  expect(await untilStatus("r1", "completed")).toMatchObject({ status: "completed" });
  expect(effects).toEqual([effects[0], effects[0]]);
});

test("REP4 STEP2 CHILD2 EVT3 a run ends whose children, steps, waits and events all have the same time", async () => {
  await trigger("family", "r1", {});
  expect(await untilStatus("r1", "completed")).toMatchObject({ output: { doubled: [2, 4, 6] } });
  await trigger("no time", "r2");
  await signal("r2", "go");
  expect(await untilStatus("r2", "completed")).toMatchObject({ output: 60 });
  await trigger("waits for payment", "r3", { orderId: "o1" });
  await trigger("pays", "r4", { orderId: "o1", cents: 120 });
  expect(await untilStatus("r3", "completed")).toMatchObject({ output: 120 });
});
