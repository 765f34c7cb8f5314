/**
 * `pnpm bench:paging [rounds] [steps] [characters]`: replays a long journal, whole and in pages, over each pipe.
 *
 * Owns: the rounds and the table. Each replay has its own process, and the two ways take turns, so other load on the
 * machine affects both. The time is that of the processor: other processes hardly change it.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { printTable } from "@holdfast/local-runtime/terminal";

const MiB = 2 ** 20;
const PIPES = ["inline", "rpc", "fetch", "http"];

interface Sample {
  readonly ms: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

async function replay(args: readonly string[], execArgv: readonly string[]): Promise<Sample> {
  const child = fork(join(import.meta.dirname, "paging-side.ts"), [...args], { execArgv: [...execArgv] });
  const [message] = (await once(child, "message")) as [Sample];
  await once(child, "exit");
  return message;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function measure(
  pipe: string,
  written: string,
  rounds: number,
  size: readonly string[],
): Promise<(string | number)[]> {
  const times = { whole: [] as number[], paged: [] as number[] };
  const heaps: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const mode of ["whole", "paged"] as const)
      times[mode].push((await replay([pipe, mode, written, ...size], [])).cpuMs);
  }
  for (const mode of ["whole", "paged"])
    heaps.push((await replay([pipe, mode, written, ...size], ["--expose-gc"])).bytes / MiB);
  const [whole, paged] = [median(times.whole), median(times.paged)];
  const [wholeHeap = 0, pagedHeap = 0] = heaps;
  const row = [whole, paged, paged / whole, wholeHeap, pagedHeap];
  return [pipe, written, ...row.map((number) => Number(number.toFixed(number < 10 ? 2 : 0)))];
}

const [rounds = "3", ...size] = process.argv.slice(2);
const rows: (string | number)[][] = [];
for (const pipe of PIPES) {
  for (const written of ["inline", "late"]) rows.push(await measure(pipe, written, Number(rounds), size));
}
printTable(["pipe", "journal", "whole, ms", "paged, ms", "ratio", "whole, MiB", "paged, MiB"], rows);
