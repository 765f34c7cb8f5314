/**
 * `pnpm figures`: draws the figures of README.md and docs/ again.
 *
 * Owns: where the files are. checks/figures/figures.test.ts compares the files with what this draws.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { REPOSITORY } from "../source-files.ts";
import { drawFigures } from "./all-figures.ts";

export const FOLDER = "docs/images/concepts";

if (import.meta.main) {
  for (const [path, content] of await drawFigures(FOLDER)) {
    const target = join(REPOSITORY, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}
