/**
 * `node checks/coming-from/against-real.ts`: compiles the programs of other products against the packages themselves, which it
 * installs in a temporary folder. It needs a network and some 600 MB. Run it when a program or a version of PACKAGES changes.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../source-files.ts";
import { SETTINGS, writeBefore } from "./programs.ts";

/** The versions that docs/coming-from.md names. */
const PACKAGES = [
  "@dbos-inc/dbos-sdk@5.3.0",
  "@restatedev/restate-sdk@1.17.2",
  "@temporalio/workflow@1.24.0",
  "@trigger.dev/sdk@4.8.3",
  "inngest@4.24.0",
  "workflow@4.8.9",
];

const folder = mkdtempSync(join(tmpdir(), "holdfast-products-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", ...PACKAGES]);
  const files = writeBefore(folder).filter((path) => !path.endsWith("/cloudflare-workflows.ts"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...SETTINGS, types: [] }, files }));
  run(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", folder]);
  console.log("They compile.");
} finally {
  rmSync(folder, { recursive: true });
}

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: folder, stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
