/**
 * Checks that the files that documents name exist, and that the lists in docs/ are complete: dependencies and limits.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { DEFAULT_LIMITS, HOST_LIMITS, LIMITS } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { REPOSITORY, packageFolders, readFiles, readManifest, toolFolders } from "./source-files.ts";

const DOCUMENTS = readFiles("*.md", "docs/**/*.md", "{packages,apps,examples,deploy}/*/*.md");

const PATHS = readFiles("{packages,apps,examples,deploy,checks,demo,benchmarks}/**/*.ts").map(({ path }) => path);

/** Documents that name source files by a part of their path. */
const MAPS = new Set(["AGENTS.md", "ARCHITECTURE.md", "docs/design/paths.md"]);

test("every link to a file has an existing target", () => {
  const broken = DOCUMENTS.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1] ?? "")
      .filter((target) => !/^\w+:/.test(target) && !existsSync(join(REPOSITORY, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test("every source file that AGENTS.md, ARCHITECTURE.md or docs/design/paths.md names exists", () => {
  const maps = DOCUMENTS.filter(({ path }) => MAPS.has(path));
  expect(maps).toHaveLength(MAPS.size);
  const missing = maps.flatMap(({ path, text }) =>
    [...text.matchAll(/[\w/-]*[\w-]\.ts\b/g)]
      .map(([name]) => name)
      .filter((name) => !PATHS.some((known) => `/${known}`.includes(`/${name}`) || isInSource(known, name)))
      .map((name) => `${path}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test("AGENTS.md has its rules in 60 lines, and lists folders that exist", () => {
  const [rules = "", list = ""] = (readFiles("AGENTS.md")[0]?.text ?? "").split("\n## Folders\n");
  expect(rules.split("\n").length).toBeLessThan(60);
  let root = "";
  const folders = list.split("\n").flatMap((line) => {
    const [, inside] = /^ {2}((?:[\w/-]+\/ +)+)/u.exec(line) ?? [];
    if (inside !== undefined)
      return inside
        .trim()
        .split(/ +/u)
        .map((name) => join(root, name));
    const [names] = /^\w+\/[\w/-]*(?: {2}\w+\/)*/u.exec(line) ?? [];
    if (names === undefined) return [];
    root = names;
    return names.split(/ +/u);
  });
  expect(folders.length).toBeGreaterThan(40);
  expect(folders.filter((folder) => !existsSync(join(REPOSITORY, folder)))).toEqual([]);
});

/** Whether a short name means this path: `protocol/values.ts` means `packages/protocol/src/values.ts`. */
function isInSource(path: string, name: string): boolean {
  return path.replace("/src/", "/").endsWith(`/${name}`);
}

test("every external dependency has one line in docs/design/dependencies.md", () => {
  const [document] = readFiles("docs/design/dependencies.md");
  const rows = (document?.text ?? "").split("\n").filter((line) => line.startsWith("| `"));
  const explained = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1]),
  );
  const used = [".", ".ci/packed-tools", ...packageFolders(), ...toolFolders()].flatMap((folder) => {
    const { dependencies, devDependencies, optionalDependencies } = readManifest(folder);
    return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  });
  const outside = new Set(used.filter((name) => !name.startsWith("@holdfast/")));
  expect(new Set(explained)).toEqual(outside.add("pnpm"));
});

/** The names in code font in a text. */
function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ""));
}

test("docs/reference/limits.md names every limit, and lists exactly those that a deployment may set", () => {
  const [table = "", settings = ""] = (readFiles("docs/reference/limits.md")[0]?.text ?? "").split("## Setting limits");
  const named = namesIn(table);
  const limits = Object.keys({ ...LIMITS, ...HOST_LIMITS, ...DEFAULT_LIMITS });
  expect(limits.filter((name) => !named.has(name))).toEqual([]);
  const settable = namesIn(settings.slice(0, settings.indexOf("In code")));
  expect([...settable].toSorted()).toEqual(Object.keys(DEFAULT_LIMITS).toSorted());
});

test("docs/reference/cli.md has a section or an example of every verb", () => {
  const source = readFiles("packages/cli/src/verbs.ts")[0]?.text ?? "";
  const verbs = [...source.matchAll(/\bverb\(\s*[A-Z]+,\s*"(\w+)"/gu)].map(([, name = ""]) => name);
  const page = readFiles("docs/reference/cli.md")[0]?.text ?? "";
  expect(verbs.length).toBeGreaterThan(20);
  expect(verbs.filter((name) => !new RegExp(`^(### .*\\b${name}\\b|holdfast ${name} )`, "mu").test(page))).toEqual([]);
});
