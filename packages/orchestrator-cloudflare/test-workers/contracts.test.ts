import { env, evictDurableObject, runInDurableObject } from "cloudflare:test";
import type { Crash, OpenedHost } from "@holdfast/proof/catalogue";
import { hostContract, storeContract } from "@holdfast/proof/contracts";
import { vi } from "vitest";
import { DurableObjectStore } from "../src/run-object/store.ts";
import { openWorkerdHost } from "./contract-host.ts";
import { expectBrokenConnections, expectCrashes, expectLostStubs, resetAfterEach } from "./declared-output.ts";
import { catalogue } from "./workflows.ts";

// On a busy machine the removal of a test's objects can take more than ten seconds.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

resetAfterEach();
expectCrashes();
expectBrokenConnections();
expectLostStubs();

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
// A selection, and crashes only after a write: all entries with both sides pass on every pipe and take minutes more.
const SOME = /^(DUR2|STEP2 a step that fails twice|WAIT2 a signal reaches|COMP1 a failure|CHILD2 a child's output)/;
const crashing = catalogue.filter(({ title }) => SOME.test(title));

for (const [prefix, name] of [
  ["rpc", "a sibling Worker over RPC"],
  ["fetch", "a sibling Worker over fetch"],
  ["http", "a Node process over HTTP"],
] as const) {
  hostContract(`real workerd, ${name}`, { entries: catalogue, crashing, sides: ["after"], prefix, open });
}
