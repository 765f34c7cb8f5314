/** Checks that every exception in .oxlintrc.json is needed, so that the lists only shrink. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, matchesGlob } from "node:path";
import { expect, test } from "vitest";
import { REPOSITORY } from "./source-files.ts";

const RULES = new Set(["max-lines", "max-lines-per-function", "import/no-cycle", "no-restricted-globals"]);

interface Override {
  readonly files: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

interface Config {
  readonly overrides: readonly Override[];
}

interface Found {
  /** The rule, as in `eslint(max-lines)`. */
  readonly code: string;
  readonly filename: string;
}

test("every file with an exception from a lint rule breaks the rule", { timeout: 30_000 }, () => {
  const { overrides, ...config } = readConfig();
  const isException = ({ rules }: Override) =>
    Object.entries(rules).every(([rule, is]) => RULES.has(rule) && is === "off");
  const others = overrides.filter((one) => !isException(one));
  // Patterns are relative to the folder of the configuration.
  const anywhere = others.map((one) => ({ ...one, files: one.files.map((file) => `**/${file}`) }));
  const found = lint({ ...config, options: {}, overrides: anywhere });
  const exceptions = overrides.filter(isException);
  // With exceptions, the linter must find something: otherwise this test checks nothing.
  expect(found.length > 0).toBe(exceptions.length > 0);
  const unneeded = exceptions.flatMap(({ files, rules }) =>
    files
      .filter((file) =>
        Object.keys(rules).some(
          (rule) => !found.some(({ code, filename }) => matchesGlob(filename, file) && nameOf(code) === nameOf(rule)),
        ),
      )
      .map((file) => `${file}: ${Object.keys(rules).join()}`),
  );
  expect(unneeded, "remove these exceptions from .oxlintrc.json").toEqual([]);
});

/** Returns the name of a rule without its plugin, from `eslint(max-lines)` or `import/no-cycle`. */
function nameOf(rule: string): string | undefined {
  return /[\w-]+(?=\)?$)/.exec(rule)?.[0];
}

function readConfig(): Config & Readonly<Record<string, unknown>> {
  const text = readFileSync(join(REPOSITORY, ".oxlintrc.json"), "utf8");
  return JSON.parse(text.replaceAll(/^\s*\/\/.*$/gm, "")) as Config & Readonly<Record<string, unknown>>;
}

function lint(config: object): readonly Found[] {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-lint-"));
  try {
    const file = join(folder, "oxlintrc.json");
    writeFileSync(file, JSON.stringify(config));
    const { stdout } = spawnSync(join(REPOSITORY, "node_modules/.bin/oxlint"), ["-c", file, "-f", "json"], {
      cwd: REPOSITORY,
      encoding: "utf8",
      maxBuffer: 1e8,
    });
    return (JSON.parse(stdout) as { diagnostics: Found[] }).diagnostics;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
