/**
 * The three ways to begin in README.md, as what a reader does: writes files and types commands.
 *
 * Owns: the sections of the page. Of the parts in `<details>` a reader takes one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Act, readActs } from "../pages/acts.ts";
import { REPOSITORY } from "../source-files.ts";

export interface ReadmePath {
  /** The heading. */
  readonly title: string;
  /** The part in `<details>` that is taken, if there are any. */
  readonly variant: string | undefined;
  readonly acts: readonly Act[];
}

const TITLES = ["Start from nothing", "Add it to your Worker", "Keep your code in Node"];
const DETAILS = /^<details[^>]*>\n<summary>(.*)<\/summary>\n([^]*?)^<\/details>\n/gmu;

export function readReadme(): readonly ReadmePath[] {
  const page = readFileSync(join(REPOSITORY, "README.md"), "utf8");
  return TITLES.flatMap((title) => readPaths(page, title));
}

/** Returns the ways through the section with this heading. */
export function readPaths(page: string, title: string): readonly ReadmePath[] {
  const [, section] = new RegExp(`^## ${title}\n([^]*?)(?=^## |(?![^]))`, "mu").exec(page) ?? [];
  if (section === undefined) throw new Error(`README.md has no section "${title}".`);
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
