/**
 * The site of docs/ builds without a network, and has each page as HTML and as Markdown, a search index and llms.txt. In a
 * browser, a page of each kind can be read in both themes, and without script.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTexts } from "../../site/machines.ts";
import { REPOSITORY, findTitle, readNavigation, readPages } from "../../site/pages.ts";
import { findBrowser, mustHaveBrowser } from "../../apps/dashboard/test/browser/harness/find-browser.ts";
import { SiteBrowser, findFaults } from "./site-browser.ts";

/** A page loads the script that all pages share, and its own, bytes. The longest one lists all routes of the API. */
const SCRIPT_BYTES_MAX = 170_000;
const PAGES = readPages();

/** A page of each kind. */
const KINDS = {
  "the home page": "index",
  "a page of the tutorial": "tutorial/1-first-run",
  "a page with code": "how-to/saga",
  "a page with tables": "reference/limits",
  "the page of an error": "reference/errors/FATAL",
  "a page with figures": "concepts/time-and-order",
};

const BROWSER = await findBrowser();

const site = mkdtempSync(join(tmpdir(), "holdfast-site-"));
afterAll(() => rmSync(site, { recursive: true }));

beforeAll(() => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(REPOSITORY, "site/build.ts"), site], {
    encoding: "utf8",
    // No address outside of this machine is reached.
    env: { ...process.env, HTTPS_PROXY: "http://127.0.0.1:9", HTTP_PROXY: "http://127.0.0.1:9" },
  });
  expect(status, stdout + stderr).toBe(0);
}, 300_000);

test("each page is a file of HTML with its text, which needs no script, and a file of Markdown", () => {
  const wrong = PAGES.filter(({ path, text }) => {
    const html = join(site, path.replace(/\.md$/u, ".html"));
    if (!existsSync(html) || !existsSync(join(site, path))) return true;
    const words = /^[A-Za-z][\w ,]{20,60}/mu.exec(text.replaceAll(/^```[^]*?^```$|^#.*$/gmu, ""))?.[0] ?? "";
    return !readFileSync(html, "utf8")
      .replaceAll(/<[^>]*>|\s+/gu, " ")
      .includes(words.trim().slice(0, 20));
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("the search index is a file of the site, and no page has a script of its own above the bound", () => {
  const chunks = readdirSync(join(site, "assets/chunks"));
  expect(chunks.filter((name) => name.startsWith("@localSearchIndex"))).toHaveLength(1);
  const large = readdirSync(join(site, "assets"))
    .filter((name) => /\.md\..*(?<!lean)\.js$/u.test(name))
    .filter((name) =>
      PAGES.some(({ path, front }) => front !== undefined && name.startsWith(`${path.replaceAll("/", "_")}.`)),
    )
    .filter((name) => readFileSync(join(site, "assets", name)).length > SCRIPT_BYTES_MAX);
  expect(large).toEqual([]);
});

test("llms.txt has a line for each page, and llms-full.txt the text of each", () => {
  const read = (name: string): string => readFileSync(join(site, name), "utf8");
  const [list, small, full] = [read("llms.txt"), read("llms-small.txt"), read("llms-full.txt")];
  const listed = PAGES.filter(({ front }) => front !== undefined);
  expect(listed.filter(({ path }) => !list.includes(`](/${path})`)).map(({ path }) => path)).toEqual([]);
  expect(listed.filter(({ text }) => !full.includes(text)).map(({ path }) => path)).toEqual([]);
  expect(small.length).toBeLessThan(full.length);
});

test("a line of llms.txt has the title, the address and the summary of a page", () => {
  const page = { path: "a/b.md", front: { title: "B", summary: "What b is." }, text: "# B\n" };
  expect(findTitle(page)).toBe("B");
  expect(writeTexts([{ title: "A", pages: [page] }])["llms.txt"]).toContain("## A\n\n- [B](/a/b.md): What b is.\n");
});

describe.skipIf(BROWSER === undefined && !mustHaveBrowser())("in a browser", () => {
  const browser = new SiteBrowser(site);
  beforeAll(() => browser.start(BROWSER ?? ""), 60_000);
  afterAll(() => browser.stop());

  test.each(Object.entries(KINDS))("%s has contrast, names and ordered headings in both themes", async (_, path) => {
    const page = await browser.open(path);
    expect(await findFaults(page)).toEqual([]);
  });

  test("a faint word, a button without a name and a heading that leaves out a level are found", async () => {
    const page = await browser.open("reference/errors/FATAL");
    await page.locator("h1").evaluate((heading) => {
      heading.insertAdjacentHTML("afterend", '<h5>Deep</h5><button></button><p style="color: #777e">faint</p>');
    });
    const found = await findFaults(page);
    expect(found.map((line) => line.split(": ", 2).join(" "))).toEqual([
      "light button-name",
      "light color-contrast",
      "light heading-order",
      "dark color-contrast",
    ]);
  });

  test.each(Object.entries(KINDS))("%s has its text and its navigation without script", async (_, path) => {
    const page = await browser.open(path, { javaScriptEnabled: false });
    await page.locator(".vp-doc h1").waitFor();
    await page.locator(".vp-doc p").first().waitFor();
    const links = await page
      .locator("a[href]:visible")
      .evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    const sections = readNavigation().map(({ pages }) => (path === "index" ? pages.slice(0, 1) : pages));
    const expected = sections.flat().map((one) => `/${one.replace(/md$/u, "html").replace(/^index.html$/u, "")}`);
    expect(expected.filter((href) => !links.includes(href))).toEqual([]);
  });
});
