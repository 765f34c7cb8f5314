/** The addresses that the code of the pages names, and those that hosts answer with the page. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PAGES } from "../build.ts";

const SOURCES = join(import.meta.dirname, "../src");

test("DASH3 every address of a page that the code names is answered with the page", () => {
  const texts = globSync("**/*.{ts,tsx}", { cwd: SOURCES }).map((file) => readFileSync(join(SOURCES, file), "utf8"));
  const named = texts.flatMap((text) => text.match(/(?<=["'`])\/ui\/[a-z]+/gu) ?? []);
  expect(named).toContain("/ui/runs");
  // A page may have a part that changes at its end, as a topic has.
  expect(named.filter((path) => !PAGES.some((page) => page === path || page.startsWith(`${path}/:`)))).toEqual([]);
});
