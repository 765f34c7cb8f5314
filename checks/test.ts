/**
 * `pnpm test`: type check, lint and format, then the tests of all projects but `readers`. Stops at the first stage that fails, and before the first one
 * if the lockfile is stale.
 *
 * Owns: the stages and the closing line. A stage prints its output only if it fails. The projects of the tests run one
 * after the other: those of workerd and of the browser measure real time, which other load would distort.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { findStaleLockfile } from "./lockfile.ts";

const stale = findStaleLockfile(join(import.meta.dirname, ".."));
if (stale !== undefined) {
  console.log(`${stale}\n0 passed, 1 failed, 0 skipped`);
  process.exit(1);
}

const CHECKS = [
  ["types", "tsc", "-b"],
  ["lint", "oxlint", "--deny-warnings"],
  ["format", "oxfmt", "--check", "."],
] as const;
const PROJECTS = ["node", "workerd", "browser"];

const CLOSING_LINE = /^(\d+) passed, (\d+) failed, (\d+) skipped$/;

for (const [stage, ...command] of CHECKS) {
  let output = "";
  const start = performance.now();
  const failure = (await run(command, (line) => (output += `${line}\n`))) !== 0;
  printStage(stage, failure, start);
  if (failure) {
    process.stdout.write(output);
    console.log(`The check "${stage}" failed, so no test was run.\n0 passed, 1 failed, 0 skipped`);
    process.exit(1);
  }
}

const testsStart = performance.now();
const counts: (readonly number[])[] = [];
for (const project of PROJECTS) counts.push(await runProject(project));
const [passed, failed, skipped] = [0, 1, 2].map((of) => counts.reduce((sum, each) => sum + (each[of] ?? 0), 0));
printStage("tests", failed !== 0, testsStart);
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs the tests of one project, and returns the numbers of its closing line. */
async function runProject(project: string): Promise<readonly number[]> {
  let closing: readonly number[] = [0, 0, 0];
  const status = await run(["vitest", "run", "--project", project], (line) => {
    const match = CLOSING_LINE.exec(line);
    if (match === null) console.log(line);
    else closing = match.slice(1).map(Number);
  });
  if (status === 0 || (closing[1] ?? 0) > 0) return closing;
  console.log(`The tests of ${project} ended with status ${status}.`);
  return [closing[0] ?? 0, 1, closing[2] ?? 0];
}

/** Runs a command, calls `take` with each line of its output, and returns its exit status. */
async function run([command, ...args]: readonly string[], take: (line: string) => void): Promise<number> {
  const env = process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env;
  const child = spawn(command ?? "", args, { stdio: ["ignore", "pipe", "pipe"], env });
  for (const stream of [child.stdout, child.stderr]) {
    let rest = "";
    stream.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    });
    stream.on("end", () => {
      if (rest !== "") take(rest);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

function printStage(stage: string, stopped: boolean, start: number): void {
  const seconds = ((performance.now() - start) / 1_000).toFixed(1);
  console.log(`${stopped ? "✗" : "✓"} ${stage}  ${seconds} s`);
}
