/**
 * The pages for machines: each one as Markdown beside its HTML, and llms.txt in three sizes, made of front matter.
 *
 * Owns: what the sizes hold. llms.txt has a link and the summary of each page, llms-small.txt the text of the pages that a
 * program needs to write workflows, llms-full.txt the text of all.
 */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DOCS, type Page, findTitle, readNavigation, readPage, readPages } from "./pages.ts";

const OPENING = `# Holdfast

> Durable workflows for TypeScript on Cloudflare Durable Objects. Each step of an async function is stored before the next one begins, so that a run continues after a crash.
`;

/** The pages that are enough to write, test and start workflows. */
const SMALL = [
  "concepts/rules.md",
  "reference/ctx.md",
  "reference/workflow.md",
  "how-to/test.md",
  "for-coding-agents.md",
];

interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

/** Writes the text of each page, and llms.txt in three sizes, into the built site. */
export function copyText(outDir: string): void {
  for (const { path } of readPages()) {
    mkdirSync(dirname(join(outDir, path)), { recursive: true });
    writeFileSync(join(outDir, path), readPage(path));
  }
  cpSync(join(DOCS, "openapi.json"), join(outDir, "openapi.json"));
  for (const [name, text] of Object.entries(writeTexts(readSections()))) writeFileSync(join(outDir, name), text);
}

/** Returns the text of each size by the name of its file. */
export function writeTexts(sections: readonly Section[]): Readonly<Record<string, string>> {
  const pages = sections.flatMap((section) => section.pages);
  const list = sections.map(({ title, pages: some }) => `## ${title}\n\n${some.map(lineOf).join("\n")}\n`);
  const small = SMALL.flatMap((path) => pages.filter((page) => page.path === path));
  return {
    "llms.txt": `${OPENING}\n${list.join("\n")}\n## Optional\n\n- [All pages](/llms-full.txt): the text of every page.\n- [OpenAPI](/openapi.json): the HTTP API.\n`,
    "llms-small.txt": [OPENING, ...small.map(({ text }) => text)].join("\n"),
    "llms-full.txt": [OPENING, ...pages.map(({ path, text }) => `<!-- ${path} -->\n\n${text}`)].join("\n"),
  };
}

function lineOf(page: Page): string {
  const summary = page.front?.summary;
  return `- [${findTitle(page)}](/${page.path})${summary === undefined ? "" : `: ${summary}`}`;
}

/** The navigation with the pages that exist; the pages of errors follow their index. */
function readSections(): readonly Section[] {
  const all = readPages();
  return readNavigation().map(({ title, pages }) => ({
    title,
    pages: pages.flatMap((path) => {
      const below = path === "reference/errors.md" ? all.filter((one) => one.path.startsWith("reference/errors/")) : [];
      return [...all.filter((one) => one.path === path), ...below];
    }),
  }));
}
