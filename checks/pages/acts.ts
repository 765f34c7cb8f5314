/**
 * A page as what a reader does: writes files and types commands.
 *
 * Owns: how the page is read. A block with a title is a file, and so is a block of code whose first line is a comment with a
 * path. A block `text title="first terminal"` is what the last server that was left running writes. The comment after a
 * command says how it is typed (`kindOf`).
 */
import { type Answer, type Block, commandsOf, findBlocks, withoutComment } from "./page.ts";

interface FileAct {
  readonly kind: "file";
  readonly path: string;
  readonly text: string;
}

/** Lines that the reader waits for in the terminal of the last server. */
interface SeeAct {
  readonly kind: "see";
  readonly text: string;
}

export interface CommandAct {
  /**
   * `run`: it ends by itself; `fail`: so, with an error; `serve`: it is left running; `again`: it replaces the last one that
   * is; `cloud`: it needs an account.
   */
  readonly kind: "run" | "fail" | "serve" | "again" | "cloud";
  readonly command: string;
  readonly answer: Answer | undefined;
}

export type Act = FileAct | SeeAct | CommandAct;

export function readActs(text: string): readonly Act[] {
  const blocks = findBlocks(text);
  return blocks.flatMap((block, i): readonly Act[] => {
    if (block.language === "sh") return readCommands(block, blocks[i + 1]);
    const path = block.title ?? /^\/\/ ([\w./[\]-]+)$/u.exec(block.lines[0] ?? "")?.[1];
    const lines = block.lines.join("\n");
    if (path === undefined) return [];
    return block.language === "text" ? [{ kind: "see", text: lines }] : [{ kind: "file", path, text: `${lines}\n` }];
  });
}

function readCommands(block: Block, next: Block | undefined): readonly CommandAct[] {
  return commandsOf(block, next).map(({ text, answer }) => {
    const command = withoutComment(text);
    const comment = text.trim().slice(command.length);
    return { kind: kindOf(comment), command, answer };
  });
}

function kindOf(comment: string): CommandAct["kind"] {
  if (/leave it running/u.test(comment)) return "serve";
  if (/# again/u.test(comment)) return "again";
  if (/# fails/u.test(comment)) return "fail";
  return /# cloud/u.test(comment) ? "cloud" : "run";
}
