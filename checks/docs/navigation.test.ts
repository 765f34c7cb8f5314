/** Each page says what it is in its front matter, and stands in the navigation. */
import { expect, test } from "vitest";
import { KINDS, readNavigation, readPages, splitFrontMatter } from "../../site/pages.ts";

const PAGES = readPages();
const LISTED = readNavigation().flatMap(({ pages }) => pages);

test("every page has a title, a kind, a summary of one sentence, and a next page that exists", () => {
  const paths = new Set(PAGES.map(({ path }) => path));
  const wrong = PAGES.flatMap(({ path, front }) => {
    if (front === undefined) return [`${path}: has no front matter`];
    const { title = "", kind = "", summary = "", next = "" } = front;
    return [
      ...(title === "" ? ["has no title"] : []),
      ...((KINDS as readonly string[]).includes(kind) ? [] : [`has the kind "${kind}"; one of ${KINDS.join(", ")}`]),
      ...(/^[^.?!]+(?:[.?!][^\s][^.?!]*)*[.?!]$/u.test(summary)
        ? []
        : [`has the summary "${summary}", not one sentence`]),
      ...(paths.has(next) ? [] : [`has the next page "${next}", which does not exist`]),
    ].map((problem) => `${path}: ${problem}`);
  });
  expect(wrong).toEqual([]);
});

test("every page begins with its title as the only heading of the first level", () => {
  const wrong = PAGES.filter(({ text, front }) => {
    const headings = text.replaceAll(/^ *```[^]*?^ *```$/gmu, "").match(/^# .*$/gmu) ?? [];
    return headings.length !== 1 || !text.startsWith("# ") || front?.title === undefined;
  });
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test("every page is in the navigation once, and errors are below their index", () => {
  expect(LISTED.filter((path, i) => LISTED.indexOf(path) !== i)).toEqual([]);
  const missing = PAGES.filter(({ path }) => !LISTED.includes(path) && !path.startsWith("reference/errors/"));
  expect(missing.map(({ path }) => path)).toEqual([]);
  const paths = new Set(PAGES.map(({ path }) => path));
  expect(LISTED.filter((path) => !paths.has(path))).toEqual([]);
});

test("front matter is one name and value a line", () => {
  expect(splitFrontMatter('---\ntitle: A\nsummary: "B: c."\n---\n\n# A\n')).toEqual({
    front: { title: "A", summary: "B: c." },
    text: "# A\n",
  });
  expect(splitFrontMatter("# A\n")).toEqual({ front: undefined, text: "# A\n" });
  expect(() => splitFrontMatter("---\ntitle\n---\n")).toThrow('"title"');
});
