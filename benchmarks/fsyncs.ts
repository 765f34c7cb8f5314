/**
 * `node benchmarks/fsyncs.ts`: counts the calls of `fsync` of a run of one step over each pipe, and of its floor. It needs `strace`.
 *
 * Owns: the observation of workerd. The files of a run are those of its object; the others are the schedule of all alarms, which
 * has a file of its own, and the index of runs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Pipe, PIPES, floorOf } from "./measures/contest.ts";
import { type BenchPlatform, startPlatform } from "./platform.ts";
import { holdfastOver } from "./systems/holdfast.ts";
import { steps } from "./systems/system.ts";

const RUNS = 20;
/** Rows of the index, and what acknowledges them, come after the answer. */
const AFTER_MS = 1_000;

const WHAT = {
  "its object": /\/(?:runs|floor)(?:$|\/[0-9a-f]{64})/,
  "its alarm": /\/metadata\.sqlite/,
  "the index": /\/index\//,
} as const;

const platform = await startPlatform();
const folder = mkdtempSync(join(tmpdir(), "holdfast-fsyncs-"));
try {
  console.log(
    `| fsyncs | in all | ${Object.keys(WHAT).join(" | ")} |\n| --- | --- | ${"--- | ".repeat(Object.keys(WHAT).length)}`,
  );
  for (const pipe of PIPES) {
    const system = holdfastOver(platform, pipe);
    console.log(await count(`a run, ${pipe}`, (id) => system.run(id, steps(1))));
    console.log(await count(`its floor, ${pipe}`, () => floorOf(platform, floorWork(pipe))));
  }
} finally {
  rmSync(folder, { recursive: true });
  await platform.dispose();
}

/** As the measure of one step: rows for the step and the end. */
function floorWork(pipe: Pipe): Parameters<typeof floorOf>[1] {
  return { pipe, n: 2, header: true };
}

async function count(name: string, act: (id: string) => Promise<unknown>): Promise<string> {
  for (let i = 0; i < 3; i++) await act(`warm-${name}-${i}`);
  await delay(AFTER_MS);
  const file = join(folder, "calls");
  const stop = await observe(platform, file);
  for (let i = 0; i < RUNS; i++) await act(`${name}-${i}`);
  await delay(AFTER_MS);
  await stop();
  const paths = [...readFileSync(file, "utf8").matchAll(/f(?:data)?sync\(\d+<([^>]*)>/g)].map(([, path = ""]) => path);
  const parts = Object.values(WHAT).map((of) => perRun(paths.filter((path) => of.test(path)).length));
  return `| ${name} | ${perRun(paths.length)} | ${parts.join(" | ")} |`;
}

/** Writes each call of workerd to a file. Resolves when it observes. */
async function observe(on: BenchPlatform, file: string): Promise<() => Promise<unknown>> {
  const strace = spawn("strace", ["-f", "-y", "-e", "trace=fsync,fdatasync", "-o", file, "-p", `${on.pid()}`]);
  const ended = once(strace, "exit");
  await once(strace.stderr, "data");
  return () => {
    strace.kill("SIGINT");
    return ended;
  };
}

function perRun(counted: number): string {
  return (counted / RUNS).toFixed(1);
}
