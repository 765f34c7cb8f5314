/**
 * The three ways to begin in README.md, as what a reader does: writes files and types commands.
 *
 * Owns: how the page is read. A block of code whose first line is a comment with a path is a file. A command with the
 * comment `leave it running` has a terminal of its own; `again, after Ctrl-C` stops the last one of these, and starts it
 * again. Of the parts in `<details>` a reader takes one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Answer, type Block, findBlocks, splitCommands, withoutComment } from "../pages/page.ts";
import { REPOSITORY } from "../source-files.ts";

interface FileAct {
  readonly kind: "file";
  readonly path: string;
  readonly text: string;
}

export interface CommandAct {
  /** `run`: it ends by itself; `serve`: it is left running; `again`: it replaces the last one that is. */
  readonly kind: "run" | "serve" | "again";
  readonly command: string;
  readonly answer: Answer | undefined;
}

export type Act = FileAct | CommandAct;

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

function readActs(text: string): readonly Act[] {
  const blocks = findBlocks(text);
  return blocks.flatMap((block, i): readonly Act[] => {
    if (block.language === "sh") return readCommands(block, blocks[i + 1]);
    const [, path] = /^\/\/ ([\w./[\]-]+)$/u.exec(block.lines[0] ?? "") ?? [];
    return path === undefined ? [] : [{ kind: "file", path, text: `${block.lines.join("\n")}\n` }];
  });
}

function readCommands(block: Block, next: Block | undefined): readonly CommandAct[] {
  const commands = splitCommands(block);
  const shown = next?.follows === true && next.language === "json" ? next : undefined;
  return commands.map(({ text }, i) => {
    const command = withoutComment(text);
    const comment = text.trim().slice(command.length);
    const kind = /leave it running/u.test(comment) ? "serve" : /again, after Ctrl-C/u.test(comment) ? "again" : "run";
    const isLast = i === commands.length - 1;
    const answer = isLast && shown !== undefined ? { language: "json", text: shown.lines.join("\n") } : undefined;
    return { kind, command, answer };
  });
}
