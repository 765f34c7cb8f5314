/**
 * Measures how many runs a second one key of a limit admits, on a local workerd with storage on disk.
 *
 * `node benchmarks/gate.ts` prints a line for each number of requests at a time.
 */
import { fileURLToPath } from "node:url";
import { startLocalRuntime } from "@holdfast/local-runtime";

const PAIRS = 2_000;

const runtime = await startLocalRuntime(fileURLToPath(new URL("workers/gate/wrangler.jsonc", import.meta.url)));
try {
  const send = async (pairs: number, width: number): Promise<void> => {
    const answer = await fetch(`${runtime.url}/?pairs=${pairs}&width=${width}`);
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  };
  await send(200, 8);
  for (const width of [1, 8, 32, 128]) {
    const start = performance.now();
    await send(PAIRS, width);
    const seconds = (performance.now() - start) / 1_000;
    console.log(`${width} at a time: ${Math.round(PAIRS / seconds)} admissions and releases a second`);
  }
} finally {
  await runtime.dispose();
}
