/**
 * `node packages/proof/src/catalogue/record-journals.ts`: records the journal of each catalogue entry on the in-memory
 * host. Read the difference before you commit it: the tests check every other host against these journals.
 */
import { writeFileSync } from "node:fs";
import { makeCatalogue, openMemoryHost, runEntry, slugOf, workflowsOf } from "./index.ts";
import { VirtualClock } from "@holdfast/workflows/testing";

const FILE = new URL("journals.ts", import.meta.url);

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
const journals: Record<string, readonly string[]> = {};
for (const entry of entries) {
  const host = openMemoryHost({ workflows, clock, crash: undefined });
  journals[entry.title] = (await runEntry(host, entry, slugOf(entry))).journal;
}
const text = `/** The journal of each catalogue entry without faults, by title. It is the same on every host. Written by record-journals.ts. */
export const JOURNALS: Readonly<Record<string, readonly string[]>> = ${JSON.stringify(journals, null, 2)};
`;
writeFileSync(FILE, text);
console.log(`wrote the journals of ${entries.length} entries`);
