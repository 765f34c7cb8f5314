/** Short soak tests. The full ones are `pnpm soak --minutes 30` and `pnpm soak:limits`. */
import { note } from "@holdfast/proof/output";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Runs a program of the soak. Returns its exit code and what it printed. */
async function run(program: string, args: readonly string[]): Promise<readonly [code: unknown, output: string]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../src/soak/${program}`, import.meta.url)), ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
  const code = await new Promise((resolve) => child.once("exit", resolve));
  console.log(output);
  note(/seed \d+/.exec(output)?.[0] ?? "no seed");
  return [code, output];
}

/** The soak waits for two minutes for the end of its runs, and then says which have not ended. */
const TIMEOUT_MS = 300_000;

test(
  "DUR4 no run is lost, stuck or wrong and no durable step is repeated while processes are killed and the disk fails",
  { timeout: TIMEOUT_MS },
  async () => {
    const args = ["--minutes", "0.3", "--kill-every", "2"];
    expect(await run("main.ts", args)).toEqual([0, expect.stringContaining("SIGKILL")]);
  },
);

test(
  "L1 L2 STEP10 never more bodies than places execute and no run is stuck while workerd is killed",
  { timeout: TIMEOUT_MS },
  async () => {
    const args = ["--runs", "30", "--kill-every", "2", "--body-ms", "60"];
    expect(await run("limits/main.ts", args)).toEqual([0, expect.stringContaining("Never too many")]);
  },
);
