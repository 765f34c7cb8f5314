/**
 * The part of Markdown that texts of workflows may use: paragraphs, headings, lists, quotations, code, emphasis and links.
 *
 * Owns: the tree of a text. There is no raw HTML, no image, and no address but of http and https. Libraries that yield a
 * tree are larger than all other parts of this page, and take seconds or the whole stack for texts that are written to
 * harm.
 *
 * Invariants
 * - MD1 The tree is made in time linear to the text, whatever it is, and its depth has a limit.
 * - MD2 Every character that is no mark of the syntax is in the tree as text.
 */
import { type Inline, inlinesOf } from "./markdown-inline.ts";

export type Block =
  | { readonly kind: "paragraph"; readonly inlines: readonly Inline[] }
  | { readonly kind: "heading"; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quotation"; readonly blocks: readonly Block[] }
  | { readonly kind: "list"; readonly start: number | undefined; readonly items: readonly (readonly Block[])[] }
  | { readonly kind: "rule" };

/** Lists and quotations within each other. What is deeper is a paragraph. */
const DEPTH_MAX = 6;

const FENCE = /^ {0,3}(`{3,}|~{3,})[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*))?$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTATION = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-+*]|(\d{1,9})[.)])(?:( {1,4})(?=\S)|[ \t]+|$)/;

export function parseMarkdown(text: string): readonly Block[] {
  return new Lines(text.replaceAll(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n")).blocks(0);
}

class Lines {
  readonly #lines: readonly string[];
  #at = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  blocks(depth: number): readonly Block[] {
    const blocks: Block[] = [];
    while (this.#at < this.#lines.length) {
      const block = this.#block(depth);
      if (block !== undefined) blocks.push(block);
    }
    return blocks;
  }

  get #line(): string {
    return this.#lines[this.#at] ?? "";
  }

  /** Returns nothing for an empty line. */
  #block(depth: number): Block | undefined {
    const line = this.#line;
    if (line.trim() === "") return void this.#at++;
    const fence = FENCE.exec(line)?.[1];
    if (fence !== undefined) return this.#code(fence);
    const heading = HEADING.exec(line);
    if (heading !== null) {
      this.#at++;
      const inlines = inlinesOf(withoutClosing(heading[2] ?? ""));
      return { kind: "heading", level: heading[1]?.length ?? 1, inlines };
    }
    if (RULE.test(line)) {
      this.#at++;
      return { kind: "rule" };
    }
    if (depth < DEPTH_MAX && QUOTATION.test(line)) return this.#quotation(depth);
    if (depth < DEPTH_MAX && ITEM.test(line)) return this.#list(depth);
    return this.#paragraph(depth);
  }

  #code(fence: string): Block {
    const closing = new RegExp(`^ {0,3}${fence[0]}{${fence.length},}[ ]*$`);
    const from = ++this.#at;
    while (this.#at < this.#lines.length && !closing.test(this.#line)) this.#at++;
    return { kind: "code", text: this.#lines.slice(from, this.#at++).join("\n") };
  }

  #quotation(depth: number): Block {
    const inner: string[] = [];
    for (; QUOTATION.test(this.#line); this.#at++) inner.push(this.#line.replace(QUOTATION, ""));
    return { kind: "quotation", blocks: new Lines(inner).blocks(depth + 1) };
  }

  #list(depth: number): Block {
    const [, , mark = "", start] = ITEM.exec(this.#line) ?? [];
    const items: (readonly Block[])[] = [];
    for (let next = ITEM.exec(this.#line); next !== null && isSame(mark, next[2]); next = ITEM.exec(this.#line)) {
      if (RULE.test(this.#line)) break;
      items.push(new Lines(this.#item(next)).blocks(depth + 1));
    }
    return { kind: "list", start: start === undefined ? undefined : Number(start), items };
  }

  /** Takes the lines of an item, without their indent. An empty line belongs to it if an indented one follows. */
  #item([all, before = "", mark = "", , space]: RegExpExecArray): readonly string[] {
    const width = before.length + mark.length + (space?.length ?? 1);
    const inner = [this.#line.slice(space === undefined ? all.length : width)];
    for (this.#at++; this.#at < this.#lines.length; this.#at++) {
      const line = this.#line;
      const isIndented = line.trim() !== "" && line.slice(0, width).trim() === "";
      if (isIndented) inner.push(line.slice(width));
      else if (line.trim() === "" && this.#isIndentedAfter(width)) inner.push("");
      else break;
    }
    return inner;
  }

  #isIndentedAfter(width: number): boolean {
    const next = this.#lines[this.#at + 1];
    return next !== undefined && (next.trim() === "" ? false : next.slice(0, width).trim() === "");
  }

  #paragraph(depth: number): Block {
    const from = this.#at++;
    while (this.#at < this.#lines.length && !this.#isInterrupted(depth)) this.#at++;
    const lines = this.#lines.slice(from, this.#at).map((line) => line.trimStart());
    return { kind: "paragraph", inlines: inlinesOf(lines.join("\n").trimEnd()) };
  }

  #isInterrupted(depth: number): boolean {
    const line = this.#line;
    if (line.trim() === "" || FENCE.test(line) || HEADING.test(line) || RULE.test(line)) return true;
    return depth < DEPTH_MAX && (QUOTATION.test(line) || ITEM.test(line));
  }
}

/** Items of one list have the same mark: the same sign, or numbers with the same sign after them. */
function isSame(mark: string, other: string | undefined): boolean {
  return mark.at(-1) === other?.at(-1);
}

function withoutClosing(text: string): string {
  return text
    .trim()
    .replace(/(?<=^|\s)#+$/, "")
    .trim();
}
