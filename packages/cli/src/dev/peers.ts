/**
 * The tools that `holdfast dev` needs and that the command does not install: workerd and esbuild.
 *
 * Owns: where they are looked for (the user's project first, then beside this package), the line that installs them, and
 * the platforms that workerd exists for.
 */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Esbuild from "esbuild";
import { UsageError } from "../exit.ts";

export interface Peers {
  readonly esbuild: typeof Esbuild;
  /** The path of the executable. */
  readonly workerd: string;
  /** The newest compatibility date that workerd supports for certain. */
  readonly compatibilityDate: string | undefined;
}

export interface Surroundings {
  /** The file beside whose package a copy counts too. */
  readonly here: string;
  readonly host: Host;
}

interface Host {
  readonly platform: string;
  readonly arch: string;
  readonly musl: boolean;
}

/** @throws UsageError on a platform without workerd, or if a peer is not installed. */
export async function loadPeers(
  folder: string,
  { here = import.meta.filename, host = thisHost() }: Partial<Surroundings> = {},
): Promise<Peers> {
  checkHost(host);
  const resolve = (name: string): string | undefined => resolveFrom([join(folder, "package.json"), here], name);
  const found = { workerd: resolve("workerd"), esbuild: resolve("esbuild") };
  const missing = Object.entries(found).flatMap(([name, path]) => (path === undefined ? [name] : []));
  if (found.esbuild === undefined || found.workerd === undefined) {
    const what = missing.length === 2 ? "workerd and esbuild, which are" : `${missing[0]}, which is`;
    throw new UsageError(`holdfast dev needs ${what} not installed. Run: ${installLine(folder, missing)}`);
  }
  const [esbuild, workerd] = await Promise.all([importDefault(found.esbuild), importDefault(found.workerd)]).catch(
    (error: unknown) => {
      // workerd and esbuild have one package for each platform, which their main module looks for.
      const [reason = ""] = messageOf(error).trim().split("\n");
      throw new UsageError(
        `workerd or esbuild is installed for another platform or incompletely: ${reason} Run the installation again on this machine, without --no-optional.`,
      );
    },
  );
  const { default: executable = workerd, compatibilityDate } = Object(workerd) as {
    readonly default?: unknown;
    readonly compatibilityDate?: string;
  };
  return { esbuild: esbuild as typeof Esbuild, workerd: String(executable), compatibilityDate };
}

function thisHost(): Host {
  const { platform, arch } = process;
  if (platform !== "linux") return { platform, arch, musl: false };
  // The names of network addresses take time.
  Object.assign(process.report, { excludeNetwork: true });
  const { header } = process.report.getReport() as { readonly header?: { readonly glibcVersionRuntime?: string } };
  return { platform, arch, musl: header?.glibcVersionRuntime === undefined };
}

/** @throws UsageError */
function checkHost({ platform, arch, musl }: Host): void {
  if (platform === "win32") {
    throw new UsageError("holdfast dev does not run on Windows. Run it in WSL, or on Linux or macOS.");
  }
  if (!["linux", "darwin"].includes(platform) || !["x64", "arm64"].includes(arch)) {
    throw new UsageError(
      `holdfast dev does not run on ${platform} ${arch}: workerd exists for Linux and macOS on x64 and arm64.`,
    );
  }
  if (musl) {
    throw new UsageError(
      "holdfast dev does not run on musl (Alpine): workerd needs glibc. Use a Debian image, such as node:slim.",
    );
  }
}

function resolveFrom(files: readonly string[], name: string): string | undefined {
  for (const file of files) {
    try {
      return createRequire(file).resolve(name);
    } catch {
      // The next place may have it.
    }
  }
  return undefined;
}

async function importDefault(path: string): Promise<unknown> {
  const loaded = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  return loaded.default ?? loaded;
}

const INSTALL: readonly (readonly [lockfile: string, command: string])[] = [
  ["pnpm-lock.yaml", "pnpm add -D"],
  ["yarn.lock", "yarn add -D"],
  ["bun.lock", "bun add -d"],
  ["bun.lockb", "bun add -d"],
  ["package-lock.json", "npm install -D"],
];

/** Returns the command that installs packages with the package manager of the project. */
export function installLine(folder: string, packages: readonly string[]): string {
  for (let at = folder; ; at = dirname(at)) {
    const [, command] = INSTALL.find(([lockfile]) => existsSync(join(at, lockfile))) ?? [];
    if (command !== undefined) return `${command} ${packages.map(withRange).join(" ")}`;
    if (dirname(at) === at) return `npm install -D ${packages.map(withRange).join(" ")}`;
  }
}

/** The range of the peer dependency, so that the installed version is one that works. */
function withRange(name: string): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly peerDependencies?: Readonly<Record<string, string>>;
  };
  const range = manifest.peerDependencies?.[name];
  return range === undefined ? name : `"${name}@${range}"`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
