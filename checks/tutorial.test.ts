/**
 * docs/tutorial: a reader follows all parts in one folder that is empty at first. The packages are those of this workspace,
 * and `npx` is a script: the start of npm takes three times as long as the command that it starts. `pnpm packed tutorial`
 * does the same with packed packages from npm.
 */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stopAll } from "./packed/processes.ts";
import { Reader } from "./packed/reader.ts";
import { readTutorial } from "./packed/readme.ts";
import { REPOSITORY } from "./source-files.ts";

const PARTS = readTutorial();

/** The project of the reader is the folder in which it types. */
const NPX = '#!/bin/sh\nname=$1; shift; exec "node_modules/.bin/$name" "$@"\n';
const commands = mkdtempSync(join(tmpdir(), "holdfast-commands-"));

let reader: Reader;

beforeAll(async () => {
  writeFileSync(join(commands, "npx"), NPX, { mode: 0o755 });
  const path = [commands, dirname(process.execPath), process.env["PATH"]].join(delimiter);
  reader = await Reader.begin({ ...(process.env as Record<string, string>), PATH: path, NO_COLOR: "1" }, install);
});

afterAll(async () => {
  await stopAll();
  for (const folder of [reader.folder, commands]) rmSync(folder, { recursive: true, force: true });
});

/** The starter has every package of the tutorial. The sources of packages need a declaration of the platform's modules. */
const LINKS = {
  node_modules: "packages/create-holdfast/node_modules",
  "cloudflare-workers.d.ts": "packages/orchestrator-cloudflare/src/deployment/cloudflare-workers.d.ts",
};

function install(folder: string): void {
  for (const [name, target] of Object.entries(LINKS))
    if (!existsSync(join(folder, name))) symlinkSync(join(REPOSITORY, target), join(folder, name));
}

test.each(PARTS)("every line of $title does what it says", { timeout: 240_000 }, async ({ title, acts }) => {
  await reader.does(acts);
  if (title === PARTS.at(-1)?.title) await reader.ends();
});

test("the tutorial has five parts", () => expect(PARTS).toHaveLength(5));
