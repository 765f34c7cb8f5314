/**
 * `pnpm registry`: serves the packages of this repository, as packed, on this machine, until Ctrl-C. With it every command of
 * the documents that installs a package works before the packages are published.
 *
 * Owns: the folder of the tarballs, which it deletes. A name that is not of this repository comes from the registry with which
 * npm is configured.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packPackages } from "./pack.ts";
import { startRegistry } from "./registry.ts";

const PORT = 4873;

const folder = mkdtempSync(join(tmpdir(), "holdfast-registry-"));
try {
  console.log("Packing the packages: this takes up to a minute.");
  const registry = await startRegistry(packPackages(folder), { port: PORT });
  console.log(`Serving ${registry.url}. In the terminals in which you install packages, type first:

  export npm_config_registry=${registry.url}/

Ctrl-C ends it.`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await registry.close();
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
  console.error(`Port ${PORT} is in use. If another terminal serves the packages already, use that one.`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
