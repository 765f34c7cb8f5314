/**
 * Aborts an object at a given write to a journal, for the contract suite.
 *
 * Owns: one plan for all objects. The abort is real: uncommitted writes are lost.
 */
import type { Crash } from "@holdfast/proof/catalogue";
import type { DurableObjectStorageLike } from "../src/index.ts";

let plan: Crash | undefined;
let writes = 0;
let happened = false;

export function planCrash(crash: Crash | undefined): void {
  plan = crash;
  writes = 0;
  happened = false;
}

export function crashHappened(): boolean {
  return happened;
}

export function crashingStorage({
  storage,
  abort,
}: Pick<DurableObjectState, "storage" | "abort">): DurableObjectStorageLike {
  const die = (): void => {
    happened = true;
    abort("the contract suite made it crash");
  };
  const { kv } = storage;
  return {
    kv: {
      get: (key) => kv.get(key),
      list: (options) => kv.list(options),
      delete: (key) => kv.delete(key),
      put(key, value) {
        if (!happened && key.startsWith("journal/") && ++writes === plan?.atWrite) {
          // `before`: abort in the same turn of the event loop, so that none of its writes is committed.
          if (plan.side === "before") queueMicrotask(die);
          else void storage.sync().then(die);
        }
        kv.put(key, value);
      },
    },
    transactionSync: (closure) => storage.transactionSync(closure),
    getAlarm: () => storage.getAlarm(),
    setAlarm: (at) => storage.setAlarm(at),
    deleteAlarm: () => storage.deleteAlarm(),
    deleteAll: () => storage.deleteAll(),
    sync: () => storage.sync(),
  };
}
