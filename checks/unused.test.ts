/** Checks with knip (knip.json) that every file, export and dependency is used. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

test("no file, export or dependency is unused", { timeout: 240_000 }, () => {
  const knip = join(REPOSITORY, "checks/node_modules/.bin/knip");
  const { status, stdout } = spawnSync(knip, ["--no-config-hints"], { cwd: REPOSITORY, encoding: "utf8" });
  expect(stdout.trim()).toBe("");
  expect(status).toBe(0);
});
