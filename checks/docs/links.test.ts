/** Each link to a heading, on the same page or on another, has its heading. documents.test.ts finds links to missing files. */
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readFiles } from "../source-files.ts";

const DOCUMENTS = readFiles("*.md", "docs/**/*.md", "{packages,apps,examples,deploy}/*/*.md");

test("every link to a heading has the heading", () => {
  const headings = new Map(DOCUMENTS.map(({ path, text }) => [path, findAnchors(text)]));
  const broken = DOCUMENTS.flatMap(({ path, text }) =>
    [...withoutBlocks(text).matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)]
      .filter(([, target = "", anchor = ""]) => {
        const page = target === "" ? path : join(dirname(path), target);
        return headings.get(page)?.has(anchor) === false;
      })
      .map(([link]) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

function withoutBlocks(text: string): string {
  return text.replaceAll(/^ *```[^]*?^ *```$/gmu, "");
}

/** The anchors of the headings, as GitHub and the site make them. */
function findAnchors(text: string): ReadonlySet<string> {
  const anchors = [...withoutBlocks(text).matchAll(/^#{1,6} (.*)$/gmu)].map(([, heading = ""]) =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/gu, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
  return new Set([...anchors, ...[...text.matchAll(/<a id="([^"]+)"/gu)].map(([, id = ""]) => id)]);
}
