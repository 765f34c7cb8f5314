/**
 * `pnpm self-host`: builds the orchestrator Worker, its configuration and workerd into one executable, `dist/holdfast`.
 *
 * Owns: the build. The executable and its start script need no Node.js, no packages and no files of this repository. They
 * run on every machine with the same operating system and processor architecture.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, copyFileSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundleWorkerTo } from "@holdfast/cli/bundle";
import { buildDashboard } from "@holdfast/dashboard/build";

const HERE = import.meta.dirname;
const EXECUTABLE = join(HERE, "dist/holdfast");
const START = join(HERE, "dist/start.sh");

await bundle();
compile();
for (const script of ["start.sh", "backup.sh", "restore.sh"]) copy(script);
console.log(`Built ${EXECUTABLE}\nStart it with ${START}`);

/** As the executable: a shell reads its script while it executes it, and another build may be at work. */
function copy(script: string): void {
  const unfinished = join(HERE, "dist", `${script}.${process.pid}`);
  copyFileSync(join(HERE, script), unfinished);
  renameSync(unfinished, join(HERE, "dist", script));
}

/** Writes the Worker, with the dashboard, as one file to the path that config.capnp embeds. */
async function bundle(): Promise<void> {
  await buildDashboard();
  const unfinished = join(HERE, `dist/worker.js.${process.pid}`);
  await bundleWorkerTo(unfinished, join(HERE, "worker.ts"));
  renameSync(unfinished, join(HERE, "dist/worker.js"));
}

/** Compiles into a new file and renames it when it is complete: a process that runs the old executable is not disturbed. */
function compile(): void {
  const unfinished = `${EXECUTABLE}.${process.pid}`;
  const output = openSync(unfinished, "w");
  try {
    const workerd = join(HERE, "node_modules/.bin/workerd");
    const { status, error } = spawnSync(workerd, ["compile", join(HERE, "config.capnp")], {
      stdio: ["ignore", output, "inherit"],
    });
    if (status !== 0) throw new Error(`workerd compile exited with ${status}`, { cause: error });
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, EXECUTABLE);
  } finally {
    closeSync(output);
    rmSync(unfinished, { force: true });
  }
}
