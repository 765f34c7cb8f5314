/**
 * The pages that a reader follows from an empty folder, as what the reader does: writes files and types commands.
 *
 * Owns: which pages these are, and their sections. Of the parts in `<details>` a reader takes one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Act, readActs } from "../pages/acts.ts";
import { REPOSITORY, readFiles } from "../source-files.ts";

export interface ReadmePath {
  /** The heading, or the path of the page. */
  readonly title: string;
  /** The part in `<details>` that is taken, if there are any. */
  readonly variant: string | undefined;
  readonly acts: readonly Act[];
}

/** Ways to begin that have a page of their own. */
const PAGES: Readonly<Record<string, string>> = {
  "Add it to your Worker": "docs/how-to/add-to-your-worker.md",
  "Keep your code in Node": "docs/how-to/add-to-a-node-service.md",
};
const DETAILS = /^<details[^>]*>\n<summary>(.*)<\/summary>\n([^]*?)^<\/details>\n/gmu;

/** Returns whether a document is followed from an empty folder, with packages that are installed there. */
export function isFollowed(path: string): boolean {
  return path === "README.md" || path.startsWith("docs/tutorial/") || Object.values(PAGES).includes(path);
}

/** Returns the three ways to begin. */
export function readReadme(): readonly ReadmePath[] {
  return [
    ...readPaths(readDocument("README.md"), "Start from nothing"),
    ...Object.entries(PAGES).flatMap(([title, page]) => waysThrough(title, readDocument(page))),
  ];
}

/** Returns the parts of the tutorial, which follow each other in one folder. */
export function readTutorial(): readonly ReadmePath[] {
  return readFiles("docs/tutorial/*.md")
    .toSorted((a, b) => a.path.localeCompare(b.path))
    .flatMap(({ path, text }) => waysThrough(path, text));
}

function readDocument(path: string): string {
  return readFileSync(join(REPOSITORY, path), "utf8");
}

/** Returns the ways through the section with this heading. */
export function readPaths(page: string, title: string): readonly ReadmePath[] {
  const [, section] = new RegExp(`^## ${title}\n([^]*?)(?=^## |(?![^]))`, "mu").exec(page) ?? [];
  if (section === undefined) throw new Error(`The page has no section "${title}".`);
  return waysThrough(title, section);
}

function waysThrough(title: string, section: string): readonly ReadmePath[] {
  const details = [...section.matchAll(DETAILS)].map(([whole, variant = "", text = ""]) => ({ whole, variant, text }));
  if (details.length === 0) return [{ title, variant: undefined, acts: readActs(section) }];
  return details.map(({ variant }) => {
    const taken = details.reduce(
      (text, one) => text.replace(one.whole, () => (one.variant === variant ? one.text : "")),
      section,
    );
    return { title, variant, acts: readActs(taken) };
  });
}
