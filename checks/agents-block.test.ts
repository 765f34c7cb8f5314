/** The rules for coding agents: one text, which the authoring package ships and a page shows. The page's program is executed as that of every page. */
import { expect, test } from "vitest";
import { readFiles } from "./source-files.ts";

const LINES_MAX = 62;

const [block, page] = ["packages/workflows/AGENTS.md", "docs/for-coding-agents.md"].map(
  (path) => readFiles(path)[0]?.text ?? expect.unreachable(path),
);

test("the page for coding agents ends with the block that the package ships", () => {
  expect(page?.endsWith(`\n${block}`)).toBe(true);
});

test("the block is short, has no heading above the second level, and no link, because it is pasted elsewhere", () => {
  expect(block?.split("\n").length).toBeLessThan(LINES_MAX);
  expect(block).toMatch(/^## /u);
  expect(block).not.toMatch(/^# |\]\(/mu);
});

test("every entry that the block names is an entry of a package", () => {
  const entries = new Set(
    readFiles("packages/*/package.json").flatMap(({ text }) => {
      const { name, exports = {} } = JSON.parse(text) as { name: string; exports?: object };
      return Object.keys(exports).map((path) => `${name}${path.slice(1)}`);
    }),
  );
  const named = [...(block ?? "").matchAll(/@holdfast\/[\w/-]+/gu)].map(([entry]) => entry);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((entry) => !entries.has(entry))).toEqual([]);
});
