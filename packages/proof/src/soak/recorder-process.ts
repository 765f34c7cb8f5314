/**
 * The outside world of the soak: `node recorder-process.ts <file>`. Remembers effects in a log of its own, and answers only
 * when what it was told is on disk. Nobody kills it.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const log = openSync(process.argv[2] ?? "effects.log", "a");
let waiting: { readonly line: string; readonly done: () => void }[] = [];

/** All that came in a moment goes to the disk together. */
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
    waiting.push({ line: `${text}\n`, done: () => response.end("ok") });
  });
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.on("disconnect", () => {
  closeSync(log);
  process.exit();
});
