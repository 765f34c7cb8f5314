/**
 * The files of this repository that the checks read.
 *
 * Owns: the root of the repository, and paths relative to it with `/` as the separator.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const REPOSITORY: string = join(import.meta.dirname, "..");

export interface SourceFile {
  /** The path relative to the root. */
  readonly path: string;
  readonly text: string;
}

export interface PackageManifest {
  readonly name: string;
  /** `true`: the package is not published. */
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  /** What replaces fields in the tarball. */
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Returns the files that match the glob patterns from the root, without installed and built files. */
export function readFiles(...patterns: readonly string[]): readonly SourceFile[] {
  return findPaths(patterns).map((path) => ({ path, text: readText(path) }));
}

/** Returns the folders of the packages that have a row in the table of layers. */
export function packageFolders(): readonly string[] {
  return findPackages("{packages,apps,examples}/*");
}

/** Returns the folders of the packages without a layer. */
export function toolFolders(): readonly string[] {
  return findPackages("deploy/*", "{benchmarks,checks,demo,site}");
}

function findPackages(...folders: readonly string[]): readonly string[] {
  return findPaths(folders.map((folder) => `${folder}/package.json`)).map((path) => path.replace("/package.json", ""));
}

export function readManifest(folder: string): PackageManifest {
  return JSON.parse(readText(`${folder}/package.json`)) as PackageManifest;
}

function readText(path: string): string {
  return readFileSync(join(REPOSITORY, path), "utf8");
}

function findPaths(patterns: readonly string[]): readonly string[] {
  const installedOrBuilt = ["**/node_modules/**", "**/dist/**", "**/coverage/**"];
  return globSync(patterns, { cwd: REPOSITORY, exclude: installedOrBuilt })
    .map((path) => path.replaceAll("\\", "/"))
    .toSorted();
}
