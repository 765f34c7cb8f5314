/**
 * A folder in which the packed packages are installed, without a network: `node_modules` holds the unpacked tarballs, and
 * links to what the workspace has of their dependencies.
 *
 * Owns: the given folder, which the caller deletes. `.ci/packed` does the same with npm and a registry.
 */
import { existsSync, mkdirSync, realpathSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY, readManifest } from "../source-files.ts";
import { type PackedPackage, unpack } from "./pack.ts";
import { publishedFolders } from "./published.ts";

/** Installs the packages. `tools` are packages of the workspace's root that the code in the folder uses too. */
export function installPacked(packages: readonly PackedPackage[], folder: string, tools: readonly string[] = []): void {
  for (const { name, tarball } of packages) unpack(tarball, join(folder, "node_modules", name));
  for (const name of tools) link(join(REPOSITORY, "node_modules", name), folder, name);
  for (const place of publishedFolders())
    for (const name of Object.keys(readManifest(place).dependencies ?? {}))
      if (!name.startsWith("@holdfast/")) link(join(REPOSITORY, place, "node_modules", name), folder, name);
}

function link(target: string, folder: string, name: string): void {
  const path = join(folder, "node_modules", name);
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(realpathSync(target), path);
}
