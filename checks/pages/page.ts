/**
 * The commands of a document: the logical lines of its blocks in the language `sh`, in order, each with the answer that the
 * page shows for it.
 *
 * Owns: the form of these blocks. If the block after a block `sh`, under the same heading, is in the language `json` or `text`,
 * it shows what the last command of the block `sh` prints. Comments that begin with `# →` show what the command above them
 * prints. Lines that end with a backslash, `|` or `&&`, and lines inside quotes, continue. A block with `title="src/order.ts"`
 * after its language is that file.
 */

export interface Answer {
  readonly language: string;
  readonly text: string;
}

export interface Command {
  /** The number of its first line in the page, from 1. */
  readonly line: number;
  /** The text as it is given to a shell. */
  readonly text: string;
  readonly answer?: Answer;
}

export interface Block {
  /** The number of the line after the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** The file that the block is. */
  readonly title?: string | undefined;
  readonly lines: readonly string[];
  /** Whether no heading is between this block and the one before it. */
  readonly follows: boolean;
}

const ANSWERS: ReadonlySet<string> = new Set(["json", "text"]);
const PRINTS = /^\s*# → ?/;

export function findCommands(page: string): readonly Command[] {
  const blocks = findBlocks(page);
  return blocks.flatMap((block, i) => {
    if (block.language !== "sh") return [];
    return commandsOf(block, blocks[i + 1]);
  });
}

/** Returns the commands of a block in the language `sh`. `next`: the block after it. */
export function commandsOf(block: Block, next: Block | undefined): readonly Command[] {
  const commands = splitCommands(block);
  if (next?.follows !== true || next.title !== undefined || !ANSWERS.has(next.language)) return commands;
  const answer = { language: next.language, text: next.lines.join("\n") };
  return commands.map((command, nth) => (nth === commands.length - 1 ? { ...command, answer } : command));
}

/** Returns the fenced blocks of a page. */
export function findBlocks(page: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: (Block & { readonly lines: string[] }) | undefined;
  let follows = false;
  for (const [i, line] of page.split("\n").entries()) {
    const [, info] = /^\s*```(.*)$/.exec(line) ?? [];
    if (open === undefined && info !== undefined) open = { line: i + 2, ...readInfo(info), lines: [], follows };
    else if (open === undefined) follows &&= !line.startsWith("#");
    else if (info === undefined) open.lines.push(line);
    else {
      blocks.push(open);
      open = undefined;
      follows = true;
    }
  }
  return blocks;
}

/** Reads what stands after the opening fence: a language, and perhaps a title. */
function readInfo(info: string): Pick<Block, "language" | "title"> {
  const [, language = "", title] = /^(\S*)(?:.*\btitle="([^"]+)")?/.exec(info) ?? [];
  return { language, title };
}

/** Returns the commands of a block in the language `sh`. */
function splitCommands({ line: first, lines }: Pick<Block, "line" | "lines">): readonly Command[] {
  const commands: Command[] = [];
  let pending: string[] = [];
  for (const [i, line] of lines.entries()) {
    if (pending.length === 0 && PRINTS.test(line)) {
      addPrinted(commands, line.replace(PRINTS, ""));
      continue;
    }
    pending.push(line);
    const text = pending.join("\n");
    if (/(\\|\||&&)$/.test(line.trimEnd()) || isQuoteOpen(text)) continue;
    if (withoutComment(text) !== "") commands.push({ line: first + i + 1 - pending.length, text });
    pending = [];
  }
  if (pending.length > 0) throw new Error(`The command at line ${first + lines.length - pending.length} does not end.`);
  return commands;
}

/** Adds a line to the answer of the last command. An answer that begins as JSON does is JSON. */
function addPrinted(commands: Command[], line: string): void {
  const command = commands.pop();
  if (command === undefined) throw new Error(`No command is above "# → ${line}".`);
  const text = command.answer === undefined ? line : `${command.answer.text}\n${line}`;
  commands.push({ ...command, answer: { language: /^[[{]/.test(text) ? "json" : "text", text } });
}

/** Returns a command without its comment and without blanks at its ends. */
export function withoutComment(text: string): string {
  const at = scan(text).comment;
  return (at === undefined ? text : text.slice(0, at)).trim();
}

function isQuoteOpen(text: string): boolean {
  return scan(text).quote !== undefined;
}

/** Reads a text as a shell does: the quote that is open at its end, and the place where its comment starts. */
function scan(text: string): { readonly quote?: string; readonly comment?: number } {
  let quote: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? "";
    if (char === "\\" && quote !== "'") i++;
    else if (char === quote) quote = undefined;
    else if (quote === undefined && (char === "'" || char === '"')) quote = char;
    else if (quote === undefined && char === "#" && /^\s?$/.test(text[i - 1] ?? "")) return { comment: i };
  }
  return quote === undefined ? {} : { quote };
}
