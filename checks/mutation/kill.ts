/**
 * Tries to kill one mutant: first with the simulator, which is fast and finds most, then with the suites.
 *
 * Owns: the processes, their order and their time bounds. A mutant that makes a process hang is killed, too.
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Mutant, applyMutant } from "./mutants.ts";

export type Verdict = "seeds" | "suites" | "time" | "survived";

/** The number of seeds per mutant. */
const SEEDS = 200;
/** Time bounds, ms. The unchanged code needs a tenth of them. */
const SEEDS_MS_MAX = 60_000;
const SUITES_MS_MAX = 300_000;

const SUITES = ["node_modules/vitest/vitest.mjs", "run", "--config", "checks/mutation/vitest.config.ts", "--root", "."];

/** The suites of a mutated file, the likeliest first. */
function suitesOf(path: string): string {
  const own = path.startsWith("packages/orchestrator/") ? "packages/orchestrator" : "packages/workflows";
  return `packages/proof/test/**/*.test.ts,${own}/test/**/*.test.ts`;
}

const SEED_ARGS = [
  "--import",
  resolve("checks/mutation/replace-source.ts"),
  "--no-warnings",
  "checks/mutation/seeds-process.ts",
  "1",
  String(SEEDS),
];

/** The environment of processes that load the text in `into` in place of the file at `path`. */
function replacing(path: string, into: string): NodeJS.ProcessEnv {
  return { ...process.env, MUTATED_FILE: resolve(path), MUTATED_TEXT: into, MUTATED_SUITES: suitesOf(path) };
}

/** Whether the unchanged code passes seeds and suites. Without that, every mutant would seem to be killed. */
export async function passesUnchanged(): Promise<boolean> {
  const suites = ["proof", "orchestrator", "workflows"].map((name) => `packages/${name}/test/**/*.test.ts`).join();
  const env = { ...process.env, MUTATED_FILE: "", MUTATED_TEXT: "", MUTATED_SUITES: suites };
  const bySeeds = await run(["checks/mutation/seeds-process.ts", "1", String(SEEDS)], env, SEEDS_MS_MAX);
  return bySeeds === 0 && (await run(SUITES, env, SUITES_MS_MAX)) === 0;
}

/** Whether seeds and suites each fail with a file that cannot load. Without that, mutants would seem to survive. */
export async function loadsReplacement(path: string, into: string): Promise<boolean> {
  writeFileSync(into, 'throw new Error("This file is replaced.");\n');
  const env = replacing(path, into);
  return (await run(SEED_ARGS, env, SEEDS_MS_MAX)) !== 0 && (await run(SUITES, env, SUITES_MS_MAX)) !== 0;
}

/** Returns what killed the mutant. `text`: the source of its file; `into`: the path of a temporary file. */
export async function killMutant(mutant: Mutant, text: string, into: string): Promise<Verdict> {
  writeFileSync(into, applyMutant(text, mutant));
  const env = replacing(mutant.path, into);
  const bySeeds = await run(SEED_ARGS, env, SEEDS_MS_MAX);
  if (bySeeds !== 0) return bySeeds === undefined ? "time" : "seeds";
  const bySuites = await run(SUITES, env, SUITES_MS_MAX);
  if (bySuites !== 0) return bySuites === undefined ? "time" : "suites";
  return "survived";
}

/** Runs a Node process. Resolves with its exit code; `undefined`: it did not end in time, and was killed. */
function run(args: readonly string[], env: NodeJS.ProcessEnv, msMax: number): Promise<number | undefined> {
  const child = spawn(process.execPath, args, { env, stdio: "ignore" });
  return new Promise((done) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      done(undefined);
    }, msMax);
    child.once("exit", (code) => {
      clearTimeout(timer);
      done(code ?? 1);
    });
  });
}
