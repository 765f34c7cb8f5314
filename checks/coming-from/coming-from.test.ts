/** The pages for users of other products: programs that compile, and words that fit the code. The programs "after" are executed as those of every page. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findBlocks } from "../pages/page.ts";
import { REPOSITORY, readFiles } from "../source-files.ts";
import { SETTINGS, readBefore, writeBefore } from "./programs.ts";

const folder = mkdtempSync(join(tmpdir(), "holdfast-before-"));
afterAll(() => rmSync(folder, { recursive: true }));

const PAGES = readFiles("docs/coming-from/*.md");
const AMBIENT = join(REPOSITORY, "checks/coming-from/products.d.ts");

const compile = (name: string, options: object, files: readonly string[]): string => {
  const config = join(folder, `tsconfig.${name}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions: { ...SETTINGS, ...options }, files }));
  return spawnSync(join(REPOSITORY, "node_modules/.bin/tsc"), ["-p", config], { encoding: "utf8" }).stdout;
};

test("the programs of other products compile: Cloudflare's against its types, the others against hand-written ones", () => {
  symlinkSync(join(REPOSITORY, "node_modules"), join(folder, "node_modules"));
  const programs = writeBefore(folder);
  const ofCloudflare = programs.filter((path) => basename(path) === "cloudflare-workflows.ts");
  const others = programs.filter((path) => !ofCloudflare.includes(path));
  expect(others.length).toBe(6);
  expect(compile("others", { types: [] }, [AMBIENT, ...others])).toBe("");
  expect(compile("cloudflare", { lib: ["ES2024"], types: ["@cloudflare/workers-types"] }, ofCloudflare)).toBe("");
});

test("the hand-written types have no package that no program imports, and none is missing", () => {
  const types = readFiles("checks/coming-from/products.d.ts")[0]?.text ?? "";
  const declared = [...types.matchAll(/^declare module "([^"]+)"/gmu)].map((match) => match[1]);
  const imported = readBefore().flatMap(({ text }) => [...text.matchAll(/ from "([^.:"]+[^":]*)"/gu)].map((m) => m[1]));
  const outside = imported.filter((name) => !name?.startsWith("./") && !name?.startsWith("cloudflare"));
  expect(new Set(declared)).toEqual(new Set(outside));
});

test("every page has the words of both sides, about twenty lines before and after, and a test", () => {
  const listed = readFiles("docs/coming-from.md")[0]?.text ?? "";
  expect(PAGES.length).toBe(7);
  for (const { path, text } of PAGES) {
    expect(listed).toContain(`(${path.slice("docs/".length)})`);
    expect(text.split("\n").filter((line) => line.startsWith("| ")).length, path).toBeGreaterThan(10);
    const blocks = findBlocks(text);
    const after = blocks.find(({ title }) => title === "src/order.ts");
    const before = blocks.find(({ language }) => language === "typescript");
    for (const block of [after, before]) expect(block?.lines.length, path).toBeLessThanOrEqual(37);
    expect(blocks.map(({ title }) => title)).toContain("test/order.test.ts");
  }
});

test("compare.md has a sign in each cell, and an address in each cell without a question mark", () => {
  const page = readFiles("docs/compare.md")[0]?.text ?? "";
  const rows = page.split("\n").filter((line) => /^\| (?!sign|product|-|[●◐○?])/u.test(line));
  const cells = rows.flatMap((row) =>
    row
      .split("|")
      .slice(2, -1)
      .map((cell) => cell.trim()),
  );
  expect(rows.length).toBe(32);
  expect(cells.filter((cell) => !/^[●◐○] \[[^\]]+\]\(\S+\)$|^\? .+$/u.test(cell))).toEqual([]);
  expect(cells.filter((cell) => cell.split(/\s+/u).length > 17)).toEqual([]);
  expect(page).toMatch(/\b20\d\d-\d\d\b/u);
});
