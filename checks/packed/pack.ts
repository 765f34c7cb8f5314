/**
 * Packs every published package as it would be published.
 *
 * Use: `const packages = await packPackages(folder)`, then `startRegistry(packages)` of registry.ts serves them.
 *
 * Owns: the tarballs in the given folder, which the caller deletes. It builds first, once, and packs without the scripts
 * `prepack`, each of which would build again.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type PackageManifest, REPOSITORY, readManifest } from "../source-files.ts";
import { build } from "./build.ts";
import { publishedFolders } from "./published.ts";

/** The package manager of the workspace: only it replaces `workspace:` and applies `publishConfig`. */
export const PNPM = ["npx", "-y", "pnpm@12.21.0"] as const;

export interface PublishedManifest extends PackageManifest {
  readonly version: string;
  readonly description?: string;
  readonly keywords?: readonly string[];
  readonly engines?: { readonly node?: string };
  readonly bin?: Readonly<Record<string, string>>;
}

export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** The absolute path of the tarball. */
  readonly tarball: string;
  /** The package.json in the tarball. */
  readonly manifest: PublishedManifest;
  /** The paths of its files, sorted. */
  readonly files: readonly string[];
}

/** Builds and packs every published package into a folder, which is created. Throws with the output of what fails. */
export function packPackages(folder: string): readonly PackedPackage[] {
  build();
  mkdirSync(folder, { recursive: true });
  const names = publishedFolders().map((path) => readManifest(path).name);
  const filters = names.flatMap((name) => ["--filter", name]);
  const destination = ["--pack-destination", folder, "--config.ignore-scripts=true"];
  run([...PNPM, ...filters, "-r", "pack", ...destination], REPOSITORY);
  return publishedFolders().map((path) => {
    const { name, version } = readManifest(path) as PublishedManifest;
    return readTarball(join(folder, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`));
  });
}

function readTarball(tarball: string): PackedPackage {
  const manifest = JSON.parse(run(["tar", "xzOf", tarball, "package/package.json"])) as PublishedManifest;
  const paths = run(["tar", "tzf", tarball]).trim().split("\n");
  const files = paths.map((path) => path.replace(/^package\//u, "")).toSorted();
  return { name: manifest.name, version: manifest.version, tarball, manifest, files };
}

/** Unpacks a tarball into a folder, which is created. */
export function unpack(tarball: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  run(["tar", "xzf", tarball, "-C", folder, "--strip-components=1"]);
}

function run([command = "", ...args]: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout;
}
