/**
 * The pages of docs/ as readers get them: front matter, order and text.
 *
 * Owns: the form of front matter, and the order of pages, which docs/navigation.json has. Everything that lists pages (the
 * site, llms.txt, the checks) reads both here. docs/design is for contributors and not among the pages.
 */
import { readFiles } from "../source-files.ts";

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
  return readFiles("docs/**/*.md")
    .filter(({ path }) => !path.startsWith("docs/design/"))
    .map(({ path, text }) => ({ path: path.slice("docs/".length), ...splitFrontMatter(text) }));
}

export function readNavigation(): readonly Section[] {
  return JSON.parse(readFiles("docs/navigation.json")[0]?.text ?? "") as Section[];
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
