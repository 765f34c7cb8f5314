import { env, runInDurableObject } from "cloudflare:test";
import { type AlarmUnderTest, alarmContract } from "@holdfast/proof/contracts";
import { resetAfterEach } from "./declared-output.ts";
import { sleepFor } from "./sleep.ts";

resetAfterEach();

let objects = 0;

/** An alarm that has not fired for this long does not fire, ms. */
const SILENT_MS = 500;

alarmContract("real workerd", (): AlarmUnderTest => {
  const stub = env.WORKFLOW_RUN_DO.get(env.WORKFLOW_RUN_DO.idFromName(`alarm-${++objects}`));
  return {
    async run(fired) {
      let count = 0;
      await runInDurableObject(stub, async (instance, { storage }) => {
        let inFlight = 0;
        const set = (at: number): void => {
          inFlight = at;
          void storage.setAlarm(at);
        };
        instance.alarm = async () => {
          count += 1;
          await fired({ now: Date.now(), inFlight, shown: () => storage.getAlarm(), set });
        };
        set(Date.now() + 20);
      });
      for (let before = -1; before !== count;) {
        before = count;
        await sleepFor(SILENT_MS);
      }
      return runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm());
    },
  };
});
