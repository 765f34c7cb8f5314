/**
 * Installs the peers of `pnpm bench --peers` into a folder of their own, outside of the workspace and its lockfile.
 *
 * Owns: their exact versions. No install script runs. What is installed already is used as it is, without network.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

export const PEER_VERSIONS = {
  "@restatedev/restate-server": "1.7.12",
  "@restatedev/restate-sdk": "1.17.2",
  "@dbos-inc/dbos-sdk": "5.3.0",
} as const;

const FOLDER = join(import.meta.dirname, "../.peers");

/** @throws Error that says what to do, if something is missing and cannot be installed. */
export function installPeers(): void {
  if (Object.entries(PEER_VERSIONS).every(([name, version]) => installedVersion(name) === version)) return;
  mkdirSync(FOLDER, { recursive: true });
  const manifest = { private: true, dependencies: PEER_VERSIONS };
  writeFileSync(join(FOLDER, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, stderr, error } = spawnSync("npm", args, { cwd: FOLDER, encoding: "utf8" });
  if (status === 0) return;
  const [reason = "no reason given"] = (error?.message ?? stderr).trim().split("\n");
  throw new Error(
    `the peers could not be installed (${reason}). Run \`npm ${args.slice(0, 2).join(" ")}\` in ${FOLDER} where the npm registry can be reached, then repeat this command.`,
  );
}

function installedVersion(name: string): string | undefined {
  try {
    const text = readFileSync(join(FOLDER, "node_modules", name, "package.json"), "utf8");
    return (JSON.parse(text) as { readonly version: string }).version;
  } catch {
    return undefined;
  }
}

/** Returns the path of a file of an installed package. */
export function peerFile(specifier: string): string {
  return createRequire(join(FOLDER, "package.json")).resolve(specifier);
}

/** Loads an installed package. Its types are not installed with the workspace, so the caller says what it uses. */
export async function importPeer(name: keyof typeof PEER_VERSIONS | "pg"): Promise<unknown> {
  return import(pathToFileURL(peerFile(name)).href);
}
