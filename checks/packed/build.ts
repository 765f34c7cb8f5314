/**
 * The `prepack` of each published package, and the second half of `pnpm build`: compiles all published packages to `dist`.
 *
 * Owns: that the `dist` of a published package holds what `src` holds. A file without a source (deleted or moved) would be
 * published, so it is deleted; a missing file, which the build info of tsc does not notice, is compiled again. One build
 * runs at a time: pnpm packs several packages at once, and must not read a file while another build writes it.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../source-files.ts";
import { publishedFolders } from "./published.ts";

const BUILT = /\.(?:js|d\.ts)(?:\.map)?$/u;

const LOCK = join(REPOSITORY, "node_modules/.cache/build.lock");
/** A lock of this age is one of a build that was killed, ms. */
const LOCK_MS_MAX = 180_000;
const LOOK_AGAIN_MS = 50;

/** Compiles the published packages. Throws with the compiler's output if it has errors. */
export function build(): void {
  takeLock();
  try {
    buildAlone();
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

function takeLock(): void {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (;;)
    try {
      mkdirSync(LOCK);
      return;
    } catch {
      const { mtimeMs = Date.now() } = statSync(LOCK, { throwIfNoEntry: false }) ?? {};
      if (Date.now() - mtimeMs > LOCK_MS_MAX) rmSync(LOCK, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
    }
}

function buildAlone(): void {
  const folders = publishedFolders().map((folder) => join(REPOSITORY, folder));
  compile(folders);
  if (folders.some((folder) => findMissing(folder).length > 0)) compile(folders, "--force");
  for (const folder of folders) for (const file of findStale(folder)) rmSync(join(folder, file));
  // Last: the module with the files of the dashboard has no source.
  const { status, stderr } = spawnSync(process.execPath, [join(REPOSITORY, "apps/dashboard/build.ts")], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`The build of the dashboard failed:\n${stderr}`);
}

/** Returns the files of `dist` whose source is gone. */
export function findStale(folder: string): readonly string[] {
  return globSync("dist/**/*", { cwd: folder }).filter(
    (file) => BUILT.test(file) && !existsSync(join(folder, file.replace(/^dist/u, "src").replace(BUILT, ".ts"))),
  );
}

/** Returns the files that `dist` should have. */
export function findMissing(folder: string): readonly string[] {
  return globSync("src/**/*.ts", { cwd: folder })
    .filter((source) => !source.endsWith(".d.ts"))
    .map((source) => source.replace(/^src/u, "dist").replace(/\.ts$/u, ".js"))
    .filter((file) => !existsSync(join(folder, file)));
}

function compile(folders: readonly string[], ...options: readonly string[]): void {
  const tsc = join(REPOSITORY, "node_modules/.bin/tsc");
  // A folder inside `src` with other libraries has a project of its own.
  const projects = folders.flatMap((cwd) =>
    globSync("{,src/**/}tsconfig.json", { cwd }).map((file) => join(cwd, file)),
  );
  const { status, stdout, error } = spawnSync(tsc, ["-b", ...options, ...projects], { encoding: "utf8" });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`The build failed:\n${stdout}`);
}

if (import.meta.main) {
  try {
    build();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
