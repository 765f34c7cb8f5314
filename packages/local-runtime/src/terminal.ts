/**
 * The output of commands on a terminal: a timeline with the elapsed time at the left, tables, and a progress line.
 *
 * Owns: alignment and colour. `styleText` colours only a terminal and honours NO_COLOR.
 */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

const SUBJECT_CHARS = 10;
/** The indentation of explanations: they start at the text of a timeline line. */
const INDENT = " ".repeat(27);

export function paint(style: Style, text: string): string {
  return styleText(style, text);
}

export class Timeline {
  readonly #startedAt = performance.now();

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Prints one event. */
  event(mark: string, subject: string, text: string, style: Style = "reset"): void {
    const time = `${(this.elapsedMs / 1_000).toFixed(2)} s`.padStart(9);
    console.log(
      `${paint("dim", time)}    ${paint(style, `${mark} ${subject.padEnd(SUBJECT_CHARS)}`)}  ${paint(style, text)}`,
    );
  }

  /** Explains the event above. */
  explain(...lines: readonly string[]): void {
    for (const line of lines) console.log(INDENT + paint("dim", line));
  }

  chapter(title: string): void {
    console.log(`\n  ${paint("bold", title)}`);
  }
}

/** Prints a table. A column is as wide as its widest cell; numbers are right-aligned. */
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

/** A progress line. It is redrawn on a terminal, and printed every 5 s elsewhere. */
export class ProgressLine {
  readonly #describe: () => string;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();

  constructor(describe: () => string) {
    this.#describe = describe;
    this.#timer = setInterval(() => this.#show(), process.stdout.isTTY ? REDRAW_MS : PRINT_EVERY_MS);
    // The timer must not keep the process alive after the observed work has failed.
    this.#timer.unref();
  }

  /** Prints the final state. */
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
