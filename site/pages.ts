/**
 * The pages of docs/ as readers get them: front matter, order and text.
 *
 * Owns: the form of front matter, and the order of pages, which docs/navigation.json has. Everything that lists pages (the
 * site, llms.txt, the checks) reads both here. docs/design is for contributors and not among the pages.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const REPOSITORY: string = join(import.meta.dirname, "..");
export const DOCS: string = join(REPOSITORY, "docs");

export const KINDS = ["tutorial", "how-to", "reference", "explanation"] as const;

interface FrontMatter {
  readonly title: string;
  readonly kind: string;
  /** One sentence. */
  readonly summary: string;
  /** The page to read after this one, relative to docs/. */
  readonly next: string;
  /** The page whose files this one begins with, relative to docs/. */
  readonly continues?: string;
}

export interface Page {
  /** Relative to docs/. */
  readonly path: string;
  /** `undefined`: the page has none. */
  readonly front: Partial<FrontMatter> | undefined;
  /** The text without front matter. */
  readonly text: string;
}

export interface Section {
  readonly title: string;
  /** Relative to docs/. */
  readonly pages: readonly string[];
}

/** Returns every page of docs/. */
export function readPages(): readonly Page[] {
  return globSync("**/*.md", { cwd: DOCS, exclude: ["design/**"] })
    .map((path) => path.replaceAll("\\", "/"))
    .toSorted()
    .map((path) => ({ path, ...splitFrontMatter(readPage(path)) }));
}

/** Returns a page as readers get it: without the comments that name the source of a number. */
export function readPage(path: string): string {
  return readText(path).replaceAll(/<!-- from: [^>]* -->/gu, "");
}

export function readNavigation(): readonly Section[] {
  return JSON.parse(readText("navigation.json")) as Section[];
}

function readText(path: string): string {
  return readFileSync(join(DOCS, path), "utf8");
}

/** Reads front matter: one `name: value` a line, the value with or without double quotes. */
export function splitFrontMatter(text: string): Pick<Page, "front" | "text"> {
  const [whole, block] = /^---\n([^]*?)\n---\n+/u.exec(text) ?? [];
  if (whole === undefined || block === undefined) return { front: undefined, text };
  const front = block.split("\n").map((line) => {
    const [, name, value] = /^(\w+): (.+)$/u.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`Front matter has the line "${line}".`);
    return [name, /^".*"$/u.test(value) ? (JSON.parse(value) as string) : value] as const;
  });
  return { front: Object.fromEntries(front), text: text.slice(whole.length) };
}

/** The title of a page: that of its front matter, or its first heading. */
export function findTitle(page: Page | undefined): string {
  return page?.front?.title ?? /^# (.*)$/mu.exec(page?.text ?? "")?.[1] ?? "";
}
