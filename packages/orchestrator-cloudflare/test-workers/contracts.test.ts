import { env, evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import type { Crash, OpenedHost } from "@holdfast/testing/catalogue";
import { hostContract, storeContract } from "@holdfast/testing/contracts";
import { afterEach, vi } from "vitest";
import { DurableObjectStore } from "../src/durable-object-store.ts";
import { openWorkerdHost } from "./contract-host.ts";
import { catalogue } from "./workflows.ts";

vi.setConfig({ testTimeout: 60_000 });

afterEach(reset);

let stores = 0;

storeContract("real storage in workerd", async () => {
  const stub = env.WORKFLOW_RUN_DO.get(env.WORKFLOW_RUN_DO.idFromName(`store-${++stores}`));
  return {
    use: (fn) => runInDurableObject(stub, (_instance, { storage }) => fn(new DurableObjectStore(storage, () => {}))),
    reopen: () => evictDurableObject(stub),
    alarm: () => runInDurableObject(stub, (_instance, { storage }) => storage.getAlarm()),
  };
});

const open = async (crash: Crash | undefined): Promise<OpenedHost> => openWorkerdHost(crash);

hostContract("real workerd, inline", { entries: catalogue, prefix: "w", open });
hostContract("real workerd, a sibling Worker over RPC", { entries: catalogue, prefix: "rpc", open, sides: ["behind"] });
hostContract("real workerd, a sibling Worker over fetch", {
  entries: catalogue,
  prefix: "fetch",
  open,
  sides: ["behind"],
});
hostContract("real workerd, a Node process over HTTP", { entries: catalogue, prefix: "http", open, sides: ["behind"] });
