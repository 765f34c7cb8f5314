import { MemoryStore, VirtualClock } from "@holdfast/workflows/testing";
import { type Crash, type OpenedHost, makeCatalogue, openMemoryHost, workflowsOf } from "../src/catalogue/index.ts";
import { hostContract, storeContract } from "../src/contracts/index.ts";

storeContract("in memory", async () => {
  const store = new MemoryStore();
  return { use: async (fn) => fn(store), reopen: async () => {}, alarm: async () => store.alarm };
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
