/**
 * The files of a new project, as texts.
 *
 * Owns: package.json, and the names that templates leave open. Versions are those with which this package is tested: its own
 * for the packages of Holdfast, and the ones of its package.json for all others.
 */
import { readFileSync } from "node:fs";
import { DESCRIPTIONS, type Kind } from "./kinds.ts";
import type { Agent } from "./agent.ts";

interface OwnManifest {
  readonly version: string;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** The name that the templates have. */
const NAME = "holdfast-starter";

/** The versions of Node that execute TypeScript: the project's scripts need that, and main.ts checks it. */
const NODE = "^22.18.0 || >=23.6.0";

const PACKAGE = new URL("../", import.meta.url);

export const OWN: OwnManifest = JSON.parse(readFileSync(new URL("package.json", PACKAGE), "utf8")) as OwnManifest;

/** Returns the text of each file by its path in the project. */
export function projectFiles(name: string, kind: Kind, agent: Agent): ReadonlyMap<string, string> {
  const files = new Map([["package.json", manifest(name, kind)], ...Object.entries(agent.files)]);
  for (const [from, to] of Object.entries(DESCRIPTIONS[kind].files)) {
    const text = readFileSync(new URL(`template/${from}`, PACKAGE), "utf8").replaceAll(NAME, name);
    files.set(to, to === "README.md" ? inWordsOf(agent, text) : text);
  }
  return files;
}

/** Replaces the commands of npm in a document by those of another package manager. */
function inWordsOf({ name, run, exec }: Agent, text: string): string {
  return text
    .replaceAll(/\bnpm run ([\w-]+)/g, (_all, script: string) => run(script))
    .replaceAll(/\bnpx (?=holdfast|wrangler)/g, () => exec(""))
    .replaceAll(/\bnpm install\b/g, `${name} install`);
}

function manifest(name: string, kind: Kind): string {
  const { scripts, dependencies, devDependencies } = DESCRIPTIONS[kind];
  const content = {
    name,
    version: "0.0.0",
    private: true,
    type: "module",
    scripts,
    dependencies: withVersions(dependencies),
    devDependencies: withVersions(devDependencies),
    engines: { node: NODE },
    // Their binaries are in packages of the platform. Without an answer npm warns of the scripts.
    allowScripts: { esbuild: false, workerd: false },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

function withVersions(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.toSorted().map((name) => [name, versionOf(name)]));
}

function versionOf(name: string): string {
  const version = name.startsWith("@holdfast/") ? OWN.version : OWN.devDependencies[name];
  if (version === undefined) throw new Error(`The package.json of create-holdfast has no version of "${name}".`);
  return version;
}
