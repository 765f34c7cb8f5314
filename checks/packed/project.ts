/**
 * The empty project outside the workspace in which the packed test installs the packages, and the tools beside it.
 *
 * Owns: the folders of one run, which it deletes, and where a tool of `.ci/packed-tools` lies. Tools are linked into the
 * project after the install, so that their versions come from a lockfile; the packages come from the registry alone.
 */
import { cpSync, globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../source-files.ts";
import { type PackedPackage, packPackages } from "./pack.ts";
import type { Place } from "./processes.ts";
import { type Registry, startRegistry } from "./registry.ts";

/** The folder with a package.json and a lockfile of its own. */
export const TOOLS: string = join(REPOSITORY, ".ci/packed-tools");

/** The options of a compiler for the code of users. */
export const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  noUnusedLocals: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  target: "es2022",
  noEmit: true,
};

/** What a user does with the packages. */
export interface Step {
  readonly name: string;
  /** Whether the steps after it need it. */
  readonly isNeeded?: true;
  /** Returns a note for its line. Throws if it fails. Returns `undefined` if this machine lacks what it needs. */
  readonly run: (project: Project) => Promise<string | undefined>;
}

const LINKED = ["@cloudflare/vite-plugin", "@cloudflare/workers-types", "@types/node", "vite", "wrangler"];

export interface Project extends Place {
  readonly folder: string;
  readonly packages: readonly PackedPackage[];
  readonly registry: Registry;
  dispose(): Promise<void>;
}

/** Packs the packages, serves them, and copies the project to a folder with an empty home and an empty cache. */
export async function createProject(): Promise<Project> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-packed-")));
  const [folder, home] = [join(root, "project"), join(root, "home")];
  mkdirSync(home);
  cpSync(join(REPOSITORY, ".ci/packed-project"), folder, { recursive: true });
  const packages = packPackages(join(root, "tarballs"));
  const registry = await startRegistry(packages);
  const env = registry.environment(home, {
    CI: "1",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_SEND_METRICS: "false",
    DO_NOT_TRACK: "1",
  });
  return {
    folder,
    cwd: folder,
    env,
    packages,
    registry,
    dispose: async () => {
      await registry.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Makes the tools visible to the code of the project. */
export function linkTools({ folder }: Project, names: readonly string[] = LINKED): void {
  for (const name of names) {
    const path = join(folder, "node_modules", name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(realpathSync(join(TOOLS, "node_modules", name)), path);
  }
}

/** A command of a tool, started by this process's Node: the launchers in `.bin` would take another one. */
export function tool(path: string): readonly string[] {
  return [process.execPath, join(TOOLS, "node_modules", path)];
}

/** The binary in the package of this platform, or `undefined` if the lockfile has none for it. */
export function binary(pattern: string): string | undefined {
  return globSync(join(TOOLS, "node_modules", pattern))[0];
}
