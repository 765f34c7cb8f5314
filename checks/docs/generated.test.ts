/** The generated pages of docs/ are up to date. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_CODES } from "@holdfast/protocol";
import { expect, test } from "vitest";
import { DOCS } from "../../site/pages.ts";
import { readExports } from "../../site/reference/declarations.ts";
import { TYPE_PAGES } from "../../site/reference/types.ts";
import { writtenPages } from "../../site/reference/written-pages.ts";

const written = await writtenPages();

test("the generated pages are those that `pnpm docs:generate` writes", () => {
  const stale = [...written].filter(
    ([path, text]) => !existsSync(join(DOCS, path)) || readFileSync(join(DOCS, path), "utf8") !== text,
  );
  expect(stale.map(([path]) => path)).toEqual([]);
});

test("every export of the published entries has a heading on a reference page", () => {
  const named = TYPE_PAGES.map(({ path }) => readFileSync(join(DOCS, path), "utf8")).join("\n");
  const missing = TYPE_PAGES.flatMap(({ entries }) => entries.flatMap(({ path }) => readExports(path)))
    .map(({ name }) => name)
    .filter((name) => !named.includes(`\n### ${name}\n`));
  expect(missing).toEqual([]);
});

test("each error code has a page, and no other page is beside them", () => {
  const pages = globSync("*.md", { cwd: join(DOCS, "reference/errors") });
  expect(pages.toSorted()).toEqual([...ERROR_CODES, "http"].map((code) => `${code}.md`).toSorted());
});
