import { expect, test } from "vitest";
import { MemoryStore, VirtualClock } from "@holdfast/workflows/testing";
import { type Crash, type OpenedHost, makeCatalogue, openMemoryHost, workflowsOf } from "../src/catalogue/index.ts";
import { alarmContract, hostContract, storeContract } from "../src/contracts/index.ts";

storeContract("in memory", async () => {
  const store = new MemoryStore();
  return { use: async (fn) => fn(store), reopen: async () => {}, alarm: async () => store.alarm };
});

alarmContract("the model", () => ({
  async run(fired) {
    const time = new VirtualClock();
    const { platformAlarm: alarm } = new MemoryStore();
    for (alarm.set(time.now() + 20, time.now()); alarm.scheduled !== null;) {
      time.jump(alarm.scheduled - time.now());
      const inFlight = alarm.scheduled;
      const now = time.now();
      alarm.fire();
      await fired({ now, inFlight, shown: async () => alarm.stored, set: (at) => alarm.set(at, now) });
    }
    return alarm.stored;
  },
}));

test("DUR5 the model ignores each alarm that is set to the time in flight, and takes the next millisecond", () => {
  const { platformAlarm: alarm } = new MemoryStore();
  alarm.set(10, 0);
  alarm.fire();
  alarm.set(10, 10);
  expect([alarm.stored, alarm.scheduled]).toEqual([10, null]);
  alarm.set(3, 10);
  expect([alarm.stored, alarm.scheduled]).toEqual([10, null]);
  alarm.set(11, 10);
  expect([alarm.stored, alarm.scheduled]).toEqual([11, 11]);
});

const clock = new VirtualClock();
const entries = makeCatalogue({
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const cancel = clock.setTimer(ms, resolve);
      signal?.addEventListener("abort", () => {
        cancel();
        reject(signal.reason as Error);
      });
    }),
});
const workflows = workflowsOf(entries);

for (const remote of [false, true]) {
  const open = async (crash: Crash | undefined): Promise<OpenedHost> =>
    openMemoryHost({ workflows, clock, remote, crash });
  hostContract(remote ? "in memory, across a pipe" : "in memory", { entries, open, prefix: "m" });
}
