/**
 * `pnpm bench:paging:workerd [steps] [characters]`: the resident memory and the time of a replay in real workerd.
 *
 * Owns: two processes for each sample, so that the memory of the first execution does not count: one writes the journal,
 * and the next one replays it. A run with an empty journal in the same way shows what workerd itself takes. Memory includes garbage:
 * workerd collects it when it needs memory.
 */
import { printTable } from "@holdfast/cli/terminal";
import { wake } from "./measures/contest.ts";
import { type BenchPlatform, startPlatform } from "./platform.ts";

const MiB = 2 ** 20;
const SAMPLE_MS = 20;
const [steps = "5000", chars = "8000"] = process.argv.slice(2);

/** Wakes a run in a new process, and returns the growth of its resident memory and the time. */
async function replay(id: string, workflowId: string, n: number): Promise<{ ms: number; bytes: number }> {
  const writer = await startPlatform();
  const { directory } = writer;
  const input = { n, chars: Number(chars) };
  await writer.ask("/api/runs", { json: { runId: id, workflowId, input }, wait: 50 });
  await writer.dispose({ keep: true });
  const platform = await startPlatform({ directory });
  try {
    return await watched(platform, id);
  } finally {
    await platform.dispose();
  }
}

async function watched(platform: BenchPlatform, id: string): Promise<{ ms: number; bytes: number }> {
  await platform.ask("/api/runs", { json: { runId: "warm", workflowId: "steps", input: 1 }, wait: 50 });
  const before = platform.memory();
  let most = before;
  const watching = setInterval(() => {
    most = Math.max(most, platform.memory());
  }, SAMPLE_MS);
  const ms = await wake(platform, id);
  clearInterval(watching);
  return { ms, bytes: most - before };
}

const rows: (string | number)[][] = [];
for (const pipe of ["inline", "rpc", "http"]) {
  const empty = await replay(`cold-${pipe}-empty`, "paged", 0);
  // The platform accepts RPC messages of 32 MiB at most, so a longer journal cannot be sent whole.
  for (const workflowId of pipe === "rpc" ? ["paged"] : ["whole", "paged"]) {
    const { ms, bytes } = await replay(`cold-${pipe}-long`, workflowId, Number(steps));
    rows.push([pipe, workflowId, Math.round(ms), Math.round((bytes - empty.bytes) / MiB)]);
  }
}
printTable(["pipe", "journal", "ms", "MiB above an empty run"], rows);
