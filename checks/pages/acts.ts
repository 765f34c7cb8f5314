/**
 * A page as what a reader does: writes files and types commands.
 *
 * Owns: how the page is read. A block with a title is a file, and so is a block of code whose first line is a comment with a
 * path. A command with the comment `leave it running` has a terminal of its own; `again, after Ctrl-C` stops the last one of
 * these, and starts it again.
 */
import { type Answer, type Block, commandsOf, findBlocks, withoutComment } from "./page.ts";

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

export function readActs(text: string): readonly Act[] {
  const blocks = findBlocks(text);
  return blocks.flatMap((block, i): readonly Act[] => {
    if (block.language === "sh") return readCommands(block, blocks[i + 1]);
    const path = block.title ?? /^\/\/ ([\w./[\]-]+)$/u.exec(block.lines[0] ?? "")?.[1];
    return path === undefined ? [] : [{ kind: "file", path, text: `${block.lines.join("\n")}\n` }];
  });
}

function readCommands(block: Block, next: Block | undefined): readonly CommandAct[] {
  return commandsOf(block, next).map(({ text, answer }) => {
    const command = withoutComment(text);
    const comment = text.trim().slice(command.length);
    const kind = /leave it running/u.test(comment) ? "serve" : /again, after Ctrl-C/u.test(comment) ? "again" : "run";
    return { kind, command, answer };
  });
}
