/**
 * Just enough reading of TypeScript for the checks: what is code, and what is comment, string or pattern.
 *
 * Owns: blanking. Says to its neighbours: a text of the same length with the same line ends, so that a position in it is
 * a position in the source.
 *
 * Invariants
 * - B1 Comments become spaces whole; strings, templates and patterns keep their delimiters and lose their content.
 * - B2 Code inside `${…}` is code.
 */

/** A `/` begins a pattern unless it follows something that can be divided. */
const DIVIDABLE = /(?:[\w$)\]}"'`]|\+\+|--)$/;
const KEYWORD_BEFORE_PATTERN = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|do|else|await|yield)$/;

/** The source with comments, and the content of strings, templates and patterns, turned into spaces (B1). */
export function blankText(source: string): string {
  return new Blanking(source).run();
}

/** The line of a position, counted from 1. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i !== -1 && i < position; i = text.indexOf("\n", i + 1)) line += 1;
  return line;
}

class Blanking {
  readonly #source: string;
  #out = "";
  /** For each open `{`: whether it belongs to `${`, so that its `}` leads back into the template (B2). */
  readonly #braces: boolean[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  run(): string {
    while (this.#out.length < this.#source.length) this.#next();
    return this.#out;
  }

  #next(): void {
    const at = this.#out.length;
    const char = this.#source[at];
    if (this.#source.startsWith("//", at)) this.#blankTo(this.#find("\n", at));
    else if (this.#source.startsWith("/*", at)) this.#blankTo(this.#find("*/", at + 2) + 2);
    else if (char === '"' || char === "'") this.#quoted(char);
    else if (char === "`") this.#template();
    else if (char === "/" && this.#patternMayBegin()) this.#pattern();
    else if (char === "}" && this.#braces.pop() === true) this.#template();
    else {
      if (char === "{") this.#braces.push(false);
      this.#out += char;
    }
  }

  #quoted(quote: string): void {
    let end = this.#out.length + 1;
    while (end < this.#source.length && this.#source[end] !== quote) end += this.#source[end] === "\\" ? 2 : 1;
    this.#content(end);
  }

  /** From a back quote, or the `}` of a substitution, to the closing back quote or the next substitution. */
  #template(): void {
    let end = this.#out.length + 1;
    while (end < this.#source.length && this.#source[end] !== "`" && !this.#source.startsWith("${", end)) {
      end += this.#source[end] === "\\" ? 2 : 1;
    }
    if (this.#source[end] !== "$") return this.#content(end);
    this.#content(end);
    this.#out += "{";
    this.#braces.push(true);
  }

  #pattern(): void {
    let end = this.#out.length + 1;
    let inClass = false;
    for (; end < this.#source.length && (inClass || this.#source[end] !== "/"); end++) {
      if (this.#source[end] === "\\") end += 1;
      else if (this.#source[end] === "[") inClass = true;
      else if (this.#source[end] === "]") inClass = false;
    }
    this.#content(end);
  }

  /** Keeps the delimiters here and at `end`, blanks what is between. */
  #content(end: number): void {
    this.#out += this.#source[this.#out.length];
    this.#blankTo(end);
    this.#out += this.#source[end] ?? "";
  }

  #blankTo(end: number): void {
    this.#out += this.#source.slice(this.#out.length, end).replaceAll(/[^\n]/g, " ");
  }

  #find(what: string, from: number): number {
    const found = this.#source.indexOf(what, from);
    return found === -1 ? this.#source.length : found;
  }

  #patternMayBegin(): boolean {
    const before = this.#out.slice(-200).trimEnd();
    return !DIVIDABLE.test(before) || KEYWORD_BEFORE_PATTERN.test(before);
  }
}
