/**
 * Text for people, on stderr (CLI1, CLI5).
 *
 * Owns: notes, warnings, errors, and the progress of work that takes longer than a second. On a terminal progress is one
 * line that is drawn again and removed; elsewhere it is a line every five seconds, never a spinner.
 */
import type { Io } from "../io.ts";
import { type Paint, hasColours, painter } from "./colours.ts";
import { type Text, safe } from "./safe-text.ts";
import { cut } from "./width.ts";

const SHOW_AFTER_MS = 1_000;
const REDRAW_MS = 200;
const PRINT_EVERY_MS = 5_000;

export class Notes {
  readonly paint: Paint;
  readonly #io: Io;
  #drawn = false;

  constructor(io: Io, colourOff: boolean) {
    this.#io = io;
    this.paint = painter(hasColours({ isTTY: io.stderr.isTTY, env: io.env, off: colourOff }));
  }

  say(text: Text): void {
    this.clear();
    this.#io.stderr.write(`${text.text}\n`);
  }

  warn(text: Text): void {
    this.say(safe`${this.paint("yellow", "Warning:")} ${text}`);
  }

  error(lines: readonly Text[]): void {
    const [first = safe`failed`, ...rest] = lines;
    this.say(safe`${this.paint(["red", "bold"], "Error:")} ${first}`);
    for (const line of rest) this.say(line);
  }

  /** Shows `describe()` while `work` takes longer than a second. */
  async progress<T>(describe: () => Text, work: () => Promise<T>): Promise<T> {
    // A dumb terminal cannot remove a line.
    const tty = this.#io.stderr.isTTY === true && this.#io.env["TERM"] !== "dumb";
    const draw = (): void => {
      if (!tty) return this.say(describe());
      this.clear();
      this.#io.stderr.write(cut(describe().text, (this.#io.stderr.columns || 80) - 1));
      this.#drawn = true;
    };
    let repeat: NodeJS.Timeout | undefined;
    const first = setTimeout(() => {
      draw();
      repeat = setInterval(draw, tty ? REDRAW_MS : PRINT_EVERY_MS);
    }, SHOW_AFTER_MS);
    try {
      return await work();
    } finally {
      clearTimeout(first);
      clearInterval(repeat);
      this.clear();
    }
  }

  /** Removes the line of progress, before something else is written to the terminal. */
  clear(): void {
    if (!this.#drawn) return;
    this.#drawn = false;
    this.#io.stderr.write("\r\u001b[2K");
  }
}
