/** Each link to a heading, on the same page or on another, has its heading. documents.test.ts finds links to missing files. */
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { readFiles } from "../source-files.ts";

const DOCUMENTS = readFiles("*.md", "docs/**/*.md", "{packages,apps,examples,deploy}/*/*.md");

/** Links of pages that are being split. The list only shrinks. */
const MOVED = new Set([
  "](../../docs/how-to/backup.md#on-your-own-machine)",
  "](how-to/deploy.md#a-new-class-of-objects)",
  "](#on-your-own-machine)",
  "](#bindings-and-variables)",
  "](#what-it-costs)",
  "](#upgrades-and-rollbacks)",
  "](#back-up-and-restore)",
  "](../how-to/self-host.md#after-a-long-stop)",
  "](../how-to/backup.md#rebuild-the-index)",
]);

test("every link to a heading has the heading", () => {
  const headings = new Map(DOCUMENTS.map(({ path, text }) => [path, findAnchors(text)]));
  const broken = DOCUMENTS.flatMap(({ path, text }) =>
    [...withoutBlocks(text).matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)]
      .filter(([link]) => !MOVED.has(link))
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
