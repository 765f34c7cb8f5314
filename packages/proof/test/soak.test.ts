/** A short soak test. The full one is `pnpm soak --minutes 30`. */
import { note } from "@holdfast/proof/output";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

test(
  "DUR4 no run is lost, stuck or wrong and no durable step is repeated while processes are killed and the disk fails",
  { timeout: 200_000 },
  async () => {
    const args = ["--minutes", "0.3", "--kill-every", "2"];
    const child = spawn(process.execPath, [fileURLToPath(new URL("../src/soak/main.ts", import.meta.url)), ...args]);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => (output += part.toString()));
    const code = await new Promise((resolve) => child.once("exit", resolve));
    console.log(output);
    note(/seed \d+/.exec(output)?.[0] ?? "no seed");
    expect([code, output]).toEqual([0, expect.stringContaining("SIGKILL")]);
  },
);
