/**
 * Emphasis, code and links in a line of Markdown.
 *
 * Owns: the tree of one paragraph. Marks that have no partner are text. A line that ends in the text ends on the page too.
 *
 * Invariants
 * - MD1 One pass over the text, with at most `DEPTH_MAX` marks open.
 * - MD3 A link leads to an absolute address of http or https without a name or password, and the reader sees its host.
 */
export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "break" }
  | { readonly kind: "strong" | "emphasis" | "deletion"; readonly inlines: readonly Inline[] }
  | { readonly kind: "link"; readonly href: string; readonly host: string; readonly inlines: readonly Inline[] };

interface Frame {
  /** `*`, `_` or `~` of emphasis, `[` of a link; empty for the whole text. */
  readonly mark: string;
  /** Marks that have no partner yet. */
  left: number;
  inlines: Inline[];
}

const DEPTH_MAX = 16;
const URL_CHARS = 2_000;
const PLAIN = /[^\\`*_~[\]!\n]+/y;
const ESCAPE = /\\([!-/:-@[-`{-~])/y;
const BACKTICKS = /`+/y;
const MARKS = /\*+|_+|~+/y;
const TARGET = new RegExp(`\\(<?([^\\s<>()]{1,${URL_CHARS}})>?(?: +"[^"\\n]{0,200}")?\\)`, "y");

export function inlinesOf(text: string): readonly Inline[] {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  readonly #frames: Frame[] = [{ mark: "", left: 0, inlines: [] }];
  /** Where runs of backticks begin, by their length, in order. */
  readonly #backticks = new Map<number, number[]>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    for (const { 0: run, index } of text.matchAll(/`+/g)) {
      const known = this.#backticks.get(run.length);
      if (known === undefined) this.#backticks.set(run.length, [index]);
      else known.push(index);
    }
    for (const places of this.#backticks.values()) places.reverse();
  }

  read(): readonly Inline[] {
    while (this.#at < this.#text.length) this.#next();
    while (this.#frames.length > 1) this.#dissolve();
    return this.#top.inlines;
  }

  get #top(): Frame {
    const top = this.#frames.at(-1);
    if (top === undefined) throw new Error("The frame of the whole text is never closed.");
    return top;
  }

  #next(): void {
    const plain = this.#take(PLAIN);
    if (plain !== undefined) return this.#add(plain);
    const escaped = this.#take(ESCAPE);
    if (escaped !== undefined) return this.#add(escaped.slice(1));
    const backticks = this.#take(BACKTICKS);
    if (backticks !== undefined) return this.#code(backticks);
    const before = this.#text[this.#at - 1] ?? " ";
    const marks = this.#take(MARKS);
    if (marks !== undefined) return this.#marks(marks, before, this.#text[this.#at] ?? " ");
    const sign = this.#text[this.#at++] ?? "";
    if (sign === "\n") this.#break();
    else if (sign === "]") this.#closeLink();
    else if (sign === "[") this.#open("[", 1);
    // No images: the text that stands for one becomes a link.
    else if (sign !== "!" || this.#text[this.#at] !== "[") this.#add(sign);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #add(text: string): void {
    const { inlines } = this.#top;
    const last = inlines.at(-1);
    if (last?.kind === "text") inlines[inlines.length - 1] = { kind: "text", text: last.text + text };
    else if (text !== "") inlines.push({ kind: "text", text });
  }

  #break(): void {
    const last = this.#top.inlines.at(-1);
    if (last?.kind === "text") {
      this.#top.inlines.pop();
      this.#add(last.text.replace(/\\$/, "").trimEnd());
    }
    this.#top.inlines.push({ kind: "break" });
  }

  /** Code ends at the next run of the same length; without one, the run is text. */
  #code(run: string): void {
    const places = this.#backticks.get(run.length) ?? [];
    while ((places.at(-1) ?? Infinity) < this.#at) places.pop();
    const end = places.pop();
    if (end === undefined) return this.#add(run);
    const text = this.#text.slice(this.#at, end).replaceAll("\n", " ");
    const isPadded = text.startsWith(" ") && text.endsWith(" ") && text.trim() !== "";
    this.#top.inlines.push({ kind: "code", text: isPadded ? text.slice(1, -1) : text });
    this.#at = end + run.length;
  }

  #marks(run: string, before: string, after: string): void {
    const mark = run[0] ?? "";
    const isWord = mark === "_" && /[\p{L}\p{N}]/u.test(before) && /[\p{L}\p{N}]/u.test(after);
    let left = run.length > 3 || isWord || (mark === "~" && run.length !== 2) ? 0 : run.length;
    if (left === 0) return this.#add(run);
    if (/\S/.test(before)) left = this.#close(mark, left);
    if (left > 0 && /\S/.test(after)) this.#open(mark, left);
    else this.#add(mark.repeat(left));
  }

  #open(mark: string, left: number): void {
    if (this.#frames.length > DEPTH_MAX) this.#add(mark.repeat(left));
    else this.#frames.push({ mark, left, inlines: [] });
  }

  /** Pairs the marks with those that are open, and returns how many have no partner. A link closes over none. */
  #close(mark: string, count: number): number {
    let left = count;
    while (left > 0) {
      const at = this.#frames.findLastIndex((frame) => frame.mark === mark || frame.mark === "[");
      const frame = this.#frames[at];
      if (frame === undefined || frame.mark !== mark) return left;
      while (this.#frames.length > at + 1) this.#dissolve();
      const used = Math.min(2, left, frame.left);
      if (mark === "~" && used < 2) return left;
      this.#wrap(frame, used);
      left -= used;
    }
    return left;
  }

  #wrap(frame: Frame, used: number): void {
    const kind = frame.mark === "~" ? "deletion" : used === 2 ? "strong" : "emphasis";
    const wrapped: Inline = { kind, inlines: frame.inlines };
    frame.left -= used;
    frame.inlines = [wrapped];
    if (frame.left > 0) return;
    this.#frames.pop();
    this.#top.inlines.push(wrapped);
  }

  /** Makes the innermost open marks text. */
  #dissolve(): void {
    const frame = this.#frames.pop();
    if (frame === undefined) return;
    this.#add(frame.mark.repeat(frame.left));
    this.#append(frame.inlines);
  }

  #append(inlines: readonly Inline[]): void {
    for (const inline of inlines)
      if (inline.kind === "text") this.#add(inline.text);
      else this.#top.inlines.push(inline);
  }

  #closeLink(): void {
    const at = this.#frames.findLastIndex(({ mark }) => mark === "[");
    if (at < 0) return this.#add("]");
    while (this.#frames.length > at + 1) this.#dissolve();
    TARGET.lastIndex = this.#at;
    const found = TARGET.exec(this.#text);
    const url = found === null ? undefined : safeUrl(found[1] ?? "");
    const { inlines } = this.#top;
    if (found === null || url === undefined || inlines.length === 0 || inlines.some(hasLink)) {
      this.#dissolve();
      return this.#add("]");
    }
    this.#at += found[0].length;
    this.#frames.pop();
    this.#top.inlines.push({ kind: "link", href: url.href, host: url.host, inlines });
  }
}

function hasLink(inline: Inline): boolean {
  return inline.kind === "link" || ("inlines" in inline && inline.inlines.some(hasLink));
}

function safeUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text)) return undefined;
  const url = URL.parse(text);
  return url === null || url.username !== "" || url.password !== "" ? undefined : url;
}
