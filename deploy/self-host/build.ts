/**
 * `pnpm self-host`: the orchestrator Worker, its configuration and workerd as one executable, `dist/holdfast`.
 *
 * The executable, and the script that starts it, need nothing else: no Node.js, no package, no file of this repository.
 * They run where they were built, or on another machine with the same operating system and processor.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, closeSync, copyFileSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundleWorkerTo } from "@holdfast/cli/bundle";

const HERE = import.meta.dirname;
const REPOSITORY = join(HERE, "../..");
const EXECUTABLE = join(HERE, "dist/holdfast");
const START = join(HERE, "dist/start.sh");

await bundle();
compile();
copyFileSync(join(HERE, "start.sh"), START);
console.log(`Built ${EXECUTABLE}\nStart it with ${START}`);

/** The Worker in one file, where config.capnp looks for it. */
async function bundle(): Promise<void> {
  await bundleWorkerTo(join(HERE, "dist/worker.js"), join(REPOSITORY, "apps/orchestrator-worker/src/worker.ts"));
}

/** What runs now keeps its file: the new one takes the name when it is whole. */
function compile(): void {
  const unfinished = `${EXECUTABLE}.${process.pid}`;
  const output = openSync(unfinished, "w");
  try {
    const workerd = join(HERE, "node_modules/.bin/workerd");
    const { status, error } = spawnSync(workerd, ["compile", join(HERE, "config.capnp")], {
      stdio: ["ignore", output, "inherit"],
    });
    if (status !== 0) throw new Error(`workerd compile ended with ${status}`, { cause: error });
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, EXECUTABLE);
  } finally {
    closeSync(output);
    rmSync(unfinished, { force: true });
  }
}
