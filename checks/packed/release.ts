/**
 * The checks and the tarballs of a release. The workflow .github/workflows/release.yml publishes what this packs.
 *
 *     pnpm release:check v1.2.3     names what the release of this tag still needs
 *     pnpm release:pack FOLDER      packs every published package, and writes order.txt: a tarball a line, dependencies first
 *
 * Owns: the list of what a release needs.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { REPOSITORY, readManifest } from "../source-files.ts";
import { missingMetadata, readRoot } from "./metadata.ts";
import { type PackedPackage, type PublishedManifest, packPackages } from "./pack.ts";
import { publishedFolders } from "./published.ts";

export interface ReleaseState {
  readonly repository: string;
  readonly tag: string;
  /** By folder of a published package: its version, and the text of its changelog. */
  readonly packages: Readonly<Record<string, { readonly version: string; readonly changelog: string }>>;
  /** The names of changesets that no version has yet. */
  readonly changesets: readonly string[];
}

/** Returns what a release still needs, a line each: empty if nothing. */
export function missingForRelease({ repository, tag, packages, changesets }: ReleaseState): readonly string[] {
  const wrong = Object.entries(packages).filter(([, { version }]) => tag !== `v${version}`);
  const silent = Object.entries(packages).filter(([, one]) => !one.changelog.includes(`\n## ${one.version}\n`));
  return [
    ...missingMetadata({ repository }),
    ...changesets.map((name) => `.changeset/${name} is in no version yet. Run \`pnpm version-packages\`.`),
    ...wrong.map(([folder, { version }]) => `${folder} has the version ${version}, and the tag is ${tag}.`),
    ...silent.map(([folder, { version }]) => `${folder}/CHANGELOG.md does not describe ${version}.`),
  ];
}

/** Returns the packages in the order in which they are published: each after those that it depends on. */
export function inOrder(packages: readonly Pick<PackedPackage, "name" | "manifest">[]): readonly string[] {
  const ordered = new Set<string>();
  const add = ({ name, manifest }: Pick<PackedPackage, "name" | "manifest">): void => {
    if (ordered.has(name)) return;
    for (const one of packages) if (Object.hasOwn(manifest.dependencies ?? {}, one.name)) add(one);
    ordered.add(name);
  };
  packages.forEach(add);
  return [...ordered];
}

function readState(tag: string): ReleaseState {
  const packages = publishedFolders().map((folder) => {
    const path = join(REPOSITORY, folder, "CHANGELOG.md");
    const changelog = existsSync(path) ? readFileSync(path, "utf8") : "";
    return [folder, { version: (readManifest(folder) as PublishedManifest).version, changelog }] as const;
  });
  const changesets = readdirSync(join(REPOSITORY, ".changeset")).filter((name) => /(?<!README)\.md$/u.test(name));
  return { repository: readRoot().repository, tag, packages: Object.fromEntries(packages), changesets };
}

if (import.meta.main) {
  const [verb, argument] = process.argv.slice(2);
  if (argument === undefined || (verb !== "check" && verb !== "pack")) {
    console.error("Use: release.ts check TAG, or release.ts pack FOLDER.");
    process.exitCode = 2;
  } else if (verb === "check") {
    const missing = missingForRelease(readState(argument));
    for (const line of missing) console.error(line);
    process.exitCode = missing.length === 0 ? 0 : 1;
  } else {
    const packages = packPackages(argument);
    const tarballs = inOrder(packages).map((name) => packages.find((one) => one.name === name)?.tarball ?? name);
    writeFileSync(join(argument, "order.txt"), tarballs.map((tarball) => `${basename(tarball)}\n`).join(""));
  }
}
