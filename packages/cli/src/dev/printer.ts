/**
 * The terminal of the local server.
 *
 * Owns: what a line looks like. What runs and the user's code say goes to stdout: as text, also in a pipe, because tools that
 * run several processes read servers through pipes; or as NDJSON if `--output` says so. What the server says about itself
 * goes to stderr. Control characters are made visible (CLI7); the user's own console may have colours.
 */
import type { Io } from "../io.ts";
import { type Paint, type Style, hasColours, painter } from "../output/colours.ts";
import { Text, safe, visible } from "../output/safe-text.ts";
import { ownFrames } from "./source-positions.ts";
import type { Line, Tone } from "./run-lines.ts";

const STYLES: Readonly<Record<Exclude<Tone, "plain">, Style>> = {
  good: "green",
  bad: "red",
  warning: "yellow",
  dim: "dim",
};

export interface PrinterOptions {
  readonly io: Io;
  /** `--no-color` */
  readonly colourOff: boolean;
  readonly ndjson: boolean;
  /** Replaces positions in the bundle. */
  readonly locate: (text: string) => string;
  /** Returns the URL of the page of a run. */
  readonly pageOf?: (runId: string) => string | undefined;
}

export class Printer {
  readonly #options: PrinterOptions;
  readonly #out: Paint;
  readonly #err: Paint;
  /** Whether text for people has colours. */
  readonly colours: boolean;

  constructor(options: PrinterOptions) {
    const { io, colourOff: off } = options;
    this.#options = options;
    this.colours = hasColours({ isTTY: io.stderr.isTTY, env: io.env, off });
    this.#out = painter(hasColours({ isTTY: io.stdout.isTTY, env: io.env, off }));
    this.#err = painter(this.colours);
  }

  /** Prints what a run or the user's code says. */
  line({ run, workflow, tone, text, own = false, hasLink = false, object }: Line): void {
    const { io, ndjson, locate, pageOf } = this.#options;
    if (ndjson) return void io.stdout.write(`${locate(JSON.stringify(object))}\n`);
    const who = [run, workflow].filter((one) => one !== undefined).join(" ");
    const prefix = safe`${this.#out("dim", clock(io.now()))} ${who === "" ? "" : safe`${this.#out("dim", who)}  `}`;
    const [first = "", ...others] = ownFrames(locate(text)).split("\n");
    const link = hasLink && run !== undefined ? pageOf?.(run) : undefined;
    const shown = (part: string): Text => new Text(own ? coloured(part) : visible(part));
    const lines = [
      tone === "plain" || own ? shown(first) : this.#out(STYLES[tone], first),
      ...others.map((part) => (own ? shown(part) : safe`    ${this.#out("dim", part.trim())}`)),
    ];
    if (link !== undefined && lines.length > 1) lines.push(safe`    ${this.#out("dim", link)}`);
    else if (link !== undefined) lines[0] = safe`${lines[0] ?? ""}  ${this.#out("dim", link)}`;
    io.stdout.write(`${prefix.text}${lines.join("\n")}\n`);
  }

  /** Prints what the server says about itself. */
  note(text: string, tone: Tone = "plain"): void {
    const lines = text
      .split("\n")
      .map((line) => (tone === "plain" ? visible(line) : this.#err(STYLES[tone], line).text));
    this.#options.io.stderr.write(`${lines.join("\n")}\n`);
  }

  /** Prints text that has its colours already. */
  raw(text: string): void {
    this.#options.io.stderr.write(`${text}\n`);
  }
}

const COLOUR = new RegExp(`(${String.fromCodePoint(27)}\\[[\\d;]*m)`);

/** Makes everything visible but colours. */
function coloured(text: string): string {
  return text
    .split(COLOUR)
    .map((part, n) => (n % 2 === 1 ? part : visible(part)))
    .join("");
}

function clock(now: number): string {
  return new Date(now).toTimeString().slice(0, 8);
}
