/**
 * `node packages/proof/src/stored-runs/record-stored-runs.ts FILE COMMIT`: records the fixture of stored runs with the
 * code of this checkout. COMMIT is the hash of that code; the fixture contains it.
 */
import { writeFileSync } from "node:fs";
import { recordStoredRuns } from "./recording.ts";

const [, , file, recordedBy] = process.argv;
if (file === undefined || recordedBy === undefined) throw new Error("usage: record-stored-runs.ts FILE COMMIT");
const text = await recordStoredRuns(recordedBy);
writeFileSync(file, text);
console.log(`wrote ${text.length} characters`);
