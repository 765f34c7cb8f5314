/** Checks that no file has an exception from the lint rules about size, cycles and purity. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const RULES = new Set(["max-lines", "max-lines-per-function", "import/no-cycle"]);

interface Config {
  readonly overrides: readonly {
    readonly files: readonly string[];
    readonly rules: Readonly<Record<string, unknown>>;
  }[];
}

test("no file has an exception from a lint rule about its size or about cycles", () => {
  const text = readFileSync(join(REPOSITORY, ".oxlintrc.json"), "utf8");
  const { overrides } = JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, "")) as Config;
  expect(overrides.length).toBeGreaterThan(0);
  const exceptions = overrides.filter(({ rules }) =>
    Object.entries(rules).some(([rule, is]) => RULES.has(rule) && is === "off"),
  );
  expect(exceptions.flatMap(({ files }) => files)).toEqual([]);
});
