/**
 * The TypeScript modules that a page shows: its blocks `ts` with a title, as files of one folder.
 *
 * Owns: where these files are written. The folder is inside the repository, so that their imports are found, and no
 * commit, linter or formatter sees it.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { REPOSITORY } from "../source-files.ts";
import { findBlocks } from "./page.ts";

/** Returns the text of each titled block in the language `ts`, by its title. A later block replaces an earlier one. */
function findModules(page: string): ReadonlyMap<string, string> {
  const modules = new Map<string, string>();
  for (const { language, title, lines } of findBlocks(page)) {
    if (language === "ts" && title !== undefined) modules.set(title, lines.join("\n"));
  }
  return modules;
}

/** Writes the modules of a page. `folder`: its name, which no other caller uses at the same time. */
export function writeModules(page: string, folder: string): string {
  const target = join(REPOSITORY, "checks/dist", folder);
  rmSync(target, { recursive: true, force: true });
  for (const [title, text] of findModules(readFileSync(join(REPOSITORY, page), "utf8"))) {
    mkdirSync(dirname(join(target, title)), { recursive: true });
    writeFileSync(join(target, title), `${text}\n`);
  }
  return target;
}

/** Imports a written module. */
export async function importModule(folder: string, title: string): Promise<Readonly<Record<string, unknown>>> {
  return (await import(pathToFileURL(join(folder, title)).href)) as Readonly<Record<string, unknown>>;
}
