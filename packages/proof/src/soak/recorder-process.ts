/**
 * `node recorder-process.ts <file>`: records the external effects of the soak test. It appends each record to a log file,
 * and answers with the number of records of the operation when the record is on disk. This process is never killed.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The number of records of each operation. */
const counts = new Map<string, number>();

const log = openSync(process.argv[2] ?? "effects.log", "a");
let waiting: { readonly line: string; readonly done: () => void }[] = [];

/** Writes all records of the last 2 ms in one write. */
function write(): void {
  const batch = waiting;
  waiting = [];
  writeSync(log, batch.map(({ line }) => line).join(""));
  fdatasyncSync(log);
  for (const { done } of batch) done();
}

const server = createServer((request, response) => {
  let text = "";
  request.on("data", (part: Buffer) => (text += part.toString()));
  request.on("end", () => {
    if (waiting.length === 0) setTimeout(write, 2);
    const { op } = JSON.parse(text) as { readonly op: string };
    const count = (counts.get(op) ?? 0) + 1;
    counts.set(op, count);
    waiting.push({ line: `${text}\n`, done: () => response.end(String(count)) });
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => {
  closeSync(log);
  process.exit();
});
