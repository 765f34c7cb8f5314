import { env, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { storeContract } from "@holdfast/proof/contracts";
import { DurableObjectStore } from "../../src/run-object/store.ts";
import { prepareContracts } from "./setup.ts";

prepareContracts();

let stores = 0;

storeContract("real storage in workerd", async () => {
  const stub = env.WORKFLOW_RUN_DO.get(env.WORKFLOW_RUN_DO.idFromName(`store-${++stores}`));
  return {
    use: (fn) => runInDurableObject(stub, (_instance, { storage }) => fn(new DurableObjectStore(storage, () => {}))),
    reopen: () => evictDurableObject(stub),
    alarm: () => runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm()),
  };
});
