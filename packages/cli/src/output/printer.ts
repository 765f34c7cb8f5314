/**
 * Data on stdout (CLI1).
 *
 * Owns: the formats. A terminal gets tables; a pipe gets NDJSON, one object a line in the API's own shapes; `id` prints
 * only ids. Rows are written as they arrive, and a slow reader slows the verb: memory stays bounded whatever the length.
 */
import type { Sink } from "../io.ts";
import { UsageError } from "../exit.ts";
import type { Paint } from "./colours.ts";
import { type Text, safeJson, visible } from "./safe-text.ts";
import { type Column, Table, chooseColumns } from "./table.ts";

export const FORMATS = ["table", "json", "ndjson", "id"] as const;
export type Format = (typeof FORMATS)[number];

/** The rows of a list. */
export interface RowShape<Row> {
  readonly columns: readonly Column<Row>[];
  /** What `--output id` prints. */
  readonly id: (row: Row) => string;
  /** Is shown to people in place of an empty table. */
  readonly empty: string;
}

/** Rows before the first line of a table: they decide the widths of its columns. */
const SAMPLE_ROWS = 200;

export interface PrinterOptions {
  readonly format: Format;
  readonly paint: Paint;
  /** Is called before each write, so that a line of progress can be removed. */
  readonly beforeWrite: () => void;
  /** For people: is called when a list is empty. */
  readonly say: (text: string) => void;
}

export class Printer {
  readonly format: Format;
  readonly paint: Paint;
  readonly #stdout: Sink;
  readonly #options: PrinterOptions;

  constructor(stdout: Sink, options: PrinterOptions) {
    this.#stdout = stdout;
    this.#options = options;
    this.format = options.format;
    this.paint = options.paint;
  }

  /** The width for text: that of the terminal. A pipe has none, and a terminal that does not know it says 0. */
  get width(): number {
    return this.#stdout.columns || Infinity;
  }

  get isTable(): boolean {
    return this.format === "table";
  }

  async line(text: Text): Promise<void> {
    await this.#write(`${text.text}\n`);
  }

  /** Prints one object: for people as `show` says. */
  async item<Item>(item: Item, id: (item: Item) => string, show: (item: Item) => readonly Text[]): Promise<void> {
    if (this.format === "table") for (const line of show(item)) await this.line(line);
    else if (this.format === "id") await this.#write(`${visible(id(item))}\n`);
    else await this.#write(`${safeJson(item, this.format === "json" ? 2 : undefined)}\n`);
  }

  /** Prints a list. Returns the number of rows. */
  async rows<Row>(rows: AsyncIterable<Row> | Iterable<Row>, shape: RowShape<Row>, columns?: string): Promise<number> {
    const chosen = chooseColumns(shape.columns, columns);
    if (typeof chosen === "string") throw new UsageError(chosen);
    if (this.format === "table") return this.#table(rows, { ...shape, columns: chosen });
    let count = 0;
    for await (const row of rows) {
      if (this.format === "json") await this.#write(count === 0 ? "[\n  " : ",\n  ");
      await this.#write(
        this.format === "id" ? `${visible(shape.id(row))}\n` : safeJson(row) + (this.format === "json" ? "" : "\n"),
      );
      count++;
    }
    if (this.format === "json") await this.#write(count === 0 ? "[]\n" : "\n]\n");
    return count;
  }

  async #table<Row>(rows: AsyncIterable<Row> | Iterable<Row>, shape: RowShape<Row>): Promise<number> {
    let sample: Row[] = [];
    let table: Table<Row> | undefined;
    let count = 0;
    const open = async (): Promise<Table<Row>> => {
      const opened = new Table(shape.columns, sample, this.width, this.paint);
      await this.line(opened.head());
      for (const row of sample) await this.line(opened.row(row));
      sample = [];
      return opened;
    };
    for await (const row of rows) {
      count++;
      if (table !== undefined) await this.line(table.row(row));
      else if (sample.push(row) >= SAMPLE_ROWS) table = await open();
    }
    if (count === 0) this.#options.say(shape.empty);
    else if (table === undefined) await open();
    return count;
  }

  async #write(text: string): Promise<void> {
    this.#options.beforeWrite();
    if (!this.#stdout.write(text)) await new Promise<void>((resolve) => this.#stdout.once("drain", resolve));
  }
}
