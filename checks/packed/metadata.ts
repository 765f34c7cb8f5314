/**
 * `pnpm metadata`: writes into each published package what all of them share, from the package.json of the root, and their
 * version into the constant of the protocol.
 *
 * Owns: the shared fields. The field `repository` of the root is the one place that a first release must fill in: the
 * address of the public repository, instead of the placeholder.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../source-files.ts";
import { publishedFolders } from "./published.ts";

type Manifest = Readonly<Record<string, unknown>>;

/** What stands in the address of the repository until it has one. */
const PLACEHOLDER = "OWNER";

interface RootManifest {
  readonly repository: string;
  readonly license: string;
}

/** Returns the fields that every published package has. `folder` is its place in the repository. */
export function sharedFields({ repository, license }: RootManifest, folder: string): Manifest {
  return {
    license,
    homepage: `${repository}/tree/main/${folder}#readme`,
    bugs: `${repository}/issues`,
    repository: { type: "git", url: `git+${repository}.git`, directory: folder },
  };
}

/** Returns a line if the place is not filled in. */
export function missingMetadata(root: Pick<RootManifest, "repository">): readonly string[] {
  if (!root.repository.split("/").includes(PLACEHOLDER)) return [];
  return [
    `package.json: "repository" is still "${root.repository}". Write the address of the public repository there, ` +
      "then run `pnpm metadata`.",
  ];
}

export function readRoot(): RootManifest {
  return readJson("package.json") as unknown as RootManifest;
}

function readJson(path: string): Manifest {
  return JSON.parse(readFileSync(join(REPOSITORY, path), "utf8")) as Manifest;
}

/** Writes the version of the packages into the constant that code reads. */
function writeVersion(version: unknown): void {
  const path = join(REPOSITORY, "packages/protocol/src/version.ts");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/(?<=HOLDFAST_VERSION = ")[^"]*/u, String(version)));
}

if (import.meta.main) {
  writeVersion(readJson("packages/protocol/package.json")["version"]);
  for (const folder of publishedFolders()) {
    const path = `${folder}/package.json`;
    writeFileSync(
      join(REPOSITORY, path),
      `${JSON.stringify({ ...readJson(path), ...sharedFields(readRoot(), folder) }, null, 2)}\n`,
    );
  }
}
