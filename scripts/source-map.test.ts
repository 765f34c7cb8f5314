/** Checks that the map in AGENTS.md is up to date. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";
import { compareMap } from "./source-map.ts";

test.runIf(existsSync(join(REPOSITORY, ".git")))("the map in AGENTS.md is up to date (if not: pnpm map)", () => {
  const { found, wanted } = compareMap();
  expect(found).toBe(wanted);
});
