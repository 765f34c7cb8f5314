/**
 * `pnpm packed`, which `.ci/packed` starts: packs every published package, installs it with npm in an empty project outside
 * the workspace, and uses it as users do. Prints a line for each step, with its time, and a closing line. `pnpm packed Deno`
 * takes only the steps with "Deno" in their name, and those that others need.
 *
 * Owns: the order and the lines. A step that fails does not stop the others, unless they need it.
 */
import { findStaleLockfile } from "../lockfile.ts";
import { PNPM } from "./pack.ts";
import { run, stopAll } from "./processes.ts";
import { type Project, type Step, TOOLS, createProject } from "./project.ts";
import { STEPS } from "./steps.ts";

const counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs a step and prints its line. Returns its result, or `undefined` if it failed or was skipped. */
async function take<Result>(name: string, work: () => Promise<Result>): Promise<Result | undefined> {
  const start = performance.now();
  try {
    const result = await work();
    const kind = result === undefined ? "skipped" : "passed";
    counts[kind] += 1;
    print(kind === "passed" ? "✓" : "-", name, start, typeof result === "string" ? result : "");
    return result;
  } catch (error) {
    counts.failed += 1;
    print("✗", name, start, "");
    console.log(error instanceof Error ? error.message : error);
    return undefined;
  }
}

function print(sign: string, name: string, start: number, note: string): void {
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`${sign} ${name}  ${seconds} s${note === "" ? "" : `  ${note}`}`);
}

async function takeSteps(project: Project): Promise<void> {
  const part = process.argv[2] ?? "";
  const left: Step[] = STEPS.filter(({ name, isNeeded }) => isNeeded === true || name.includes(part));
  for (let step = left.shift(); step !== undefined; step = left.shift()) {
    const { name, isNeeded, run: work } = step;
    const result = await take(name, () => work(project));
    if (isNeeded === true && result === undefined) {
      console.log(`${left.length} steps need this one, and were not taken.`);
      counts.skipped += left.length;
      return;
    }
  }
}

let project: Project | undefined;

async function end(): Promise<void> {
  await stopAll();
  await project?.dispose();
}

await take("the tools of the test are installed from their lockfile, without install scripts", async () => {
  const stale = findStaleLockfile(TOOLS);
  if (stale !== undefined) throw new Error(`In .ci/packed-tools, ${stale}`);
  const flags = ["install", "--frozen-lockfile", "--ignore-scripts"];
  await run([...PNPM, ...flags], { cwd: TOOLS, env: process.env as Record<string, string> });
  return "";
});
// The time limit of .ci/packed, or Ctrl-C: no server and no folder may be left.
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    void end().finally(() => process.exit(1));
  });
project = await take("every published package is built and packed", createProject);
try {
  if (project !== undefined) await takeSteps(project);
} finally {
  await end();
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
