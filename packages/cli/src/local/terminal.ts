/**
 * What the demos print: a timeline with the elapsed time at the left, and tables.
 *
 * Owns: alignment and colour. `styleText` colours only a terminal and honours NO_COLOR.
 */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

const SUBJECT_CHARS = 10;
/** Where the text of a timeline line begins. */
const INDENT = " ".repeat(27);

export function paint(style: Style, text: string): string {
  return styleText(style, text);
}

export class Timeline {
  readonly #startedAt = performance.now();

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** One thing that happened. */
  event(mark: string, subject: string, text: string, style: Style = "reset"): void {
    const time = `${(this.elapsedMs / 1_000).toFixed(2)} s`.padStart(9);
    console.log(
      `${paint("dim", time)}    ${paint(style, `${mark} ${subject.padEnd(SUBJECT_CHARS)}`)}  ${paint(style, text)}`,
    );
  }

  /** What the line above means. */
  explain(...lines: readonly string[]): void {
    for (const line of lines) console.log(INDENT + paint("dim", line));
  }

  chapter(title: string): void {
    console.log(`\n  ${paint("bold", title)}`);
  }
}

/** Columns as wide as their widest cell; numbers at the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => String(row[column] ?? "").length)),
  );
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === "number" ? String(cell).padStart(width) : cell.padEnd(width);
      })
      .join("   ")
      .trimEnd();
  console.log(`\n    ${paint("bold", line(head))}`);
  console.log(`    ${paint("dim", widths.map((width) => "─".repeat(width)).join("   "))}`);
  for (const row of rows) console.log(`    ${line(row)}`);
}

const REDRAW_MS = 200;
const PRINT_EVERY_MS = 5_000;

/** One line that is kept up to date: redrawn on a terminal, printed now and then elsewhere. */
export class ProgressLine {
  readonly #describe: () => string;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();

  constructor(describe: () => string) {
    this.#describe = describe;
    this.#timer = setInterval(() => this.#show(), process.stdout.isTTY ? REDRAW_MS : PRINT_EVERY_MS);
    // It must not keep the process alive when what it tells of has failed.
    this.#timer.unref();
  }

  /** Shows it for the last time. */
  end(): void {
    clearInterval(this.#timer);
    this.#show();
    if (process.stdout.isTTY) process.stdout.write("\n");
  }

  #show(): void {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(0).padStart(4);
    const line = `${seconds} s  ${this.#describe()}`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line} `);
    else console.log(line);
  }
}
