/** Checks what the commands of this repository say about their arguments. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const COMMANDS: readonly (readonly [command: string, file: string])[] = [
  ["bench", "benchmarks/bench.ts"],
  ["bench:against", "benchmarks/against.ts"],
  ["bench:flow", "benchmarks/flow.ts"],
  ["bench:fairness", "benchmarks/fairness.ts"],
  ["load", "benchmarks/load.ts"],
  ["load:parked", "benchmarks/parked.ts"],
  ["fuzz", "packages/proof/src/fuzz/main.ts"],
  ["soak", "packages/proof/src/soak/main.ts"],
  ["soak:limits", "packages/proof/src/soak/limits/main.ts"],
];

function called(file: string, argument: string): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(REPOSITORY, file), argument], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, out: stdout, err: stderr };
}

test.each(COMMANDS)(
  "RUN7 `pnpm %s --help` prints the usage, and an unknown option is named with it",
  (command, file) => {
    const usage = expect.stringMatching(RegExp(`^\`pnpm ${command}\\b`));
    expect(called(file, "--help")).toEqual({ code: 0, out: usage, err: "" });
    const { code, out, err } = called(file, "--nope");
    const [problem, ...rest] = err.split("\n\n");
    expect({ code, out, problem, usage: rest.join("\n\n") }).toEqual({
      code: 2,
      out: "",
      problem: expect.stringContaining("Unknown option '--nope'"),
      usage,
    });
  },
);
