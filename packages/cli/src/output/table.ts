/**
 * Tables (CLI1, CLI7).
 *
 * Owns: which columns fit, how wide each is, and the line of a row. Cells are made visible here, so no value reaches a
 * terminal raw.
 *
 * A table that is wider than the terminal first shortens its flexible columns, the last first, then leaves out optional
 * ones from the right, and finally cuts lines.
 */
import type { Paint, Style } from "./colours.ts";
import { Text, visible } from "./safe-text.ts";
import { cut, pad, widthOf } from "./width.ts";

export interface Column<Row> {
  /** The name for `--columns`. The title is the name in capitals. */
  readonly name: string;
  readonly cell: (row: Row) => string;
  readonly style?: (row: Row) => Style;
  readonly align?: "right";
  /** May be shortened to this width. */
  readonly min?: number;
  /** May be left out if the terminal is narrow. */
  readonly optional?: true;
  /** Is shown only if `--columns` names it. */
  readonly hidden?: true;
}

const GAP = 2;

export class Table<Row> {
  readonly #columns: readonly (Column<Row> & { readonly width: number })[];
  readonly #paint: Paint;
  readonly #width: number;

  /** `sample`: the rows that decide the widths. */
  constructor(columns: readonly Column<Row>[], sample: readonly Row[], width: number, paint: Paint) {
    const natural = columns.map((column) => ({
      ...column,
      width: Math.max(column.name.length, ...sample.map((row) => widthOf(visible(column.cell(row))))),
    }));
    this.#columns = fit(natural, width);
    this.#paint = paint;
    this.#width = width;
  }

  head(): Text {
    return this.#line((column) => [column.name.toUpperCase(), "dim"]);
  }

  row(row: Row): Text {
    return this.#line((column) => [column.cell(row), column.style?.(row)]);
  }

  #line(cellOf: (column: Column<Row>) => readonly [string, Style | undefined]): Text {
    let left = this.#width;
    const cells = this.#columns.map((column, index) => {
      const [value, style] = cellOf(column);
      const last = index === this.#columns.length - 1;
      const text = cut(visible(value), Math.max(0, Math.min(last ? Infinity : column.width, left)));
      const padded =
        last && column.align === undefined ? text : pad(text, Math.min(column.width, left), column.align && "right");
      left -= widthOf(padded) + GAP;
      return style === undefined ? padded : this.#paint(style, new Text(padded)).text;
    });
    return new Text(cells.join(" ".repeat(GAP)).trimEnd());
  }
}

type Sized<Row> = Column<Row> & { readonly width: number };

function fit<Row>(columns: readonly Sized<Row>[], width: number): readonly Sized<Row>[] {
  let fitting = columns;
  for (;;) {
    const excess = sum(fitting) - width;
    if (excess <= 0) return fitting;
    const shorter = shorten(fitting, excess);
    if (sum(shorter) <= width) return shorter;
    const at = fitting.findLastIndex(({ optional }) => optional === true);
    if (at < 0) return shorter;
    fitting = fitting.filter((_column, index) => index !== at);
  }
}

function sum(columns: readonly { readonly width: number }[]): number {
  return columns.reduce((total, column) => total + column.width + GAP, -GAP);
}

function shorten<Row>(columns: readonly Sized<Row>[], excess: number): readonly Sized<Row>[] {
  let left = excess;
  return columns
    .toReversed()
    .map((column) => {
      const spare = column.min === undefined ? 0 : Math.max(0, column.width - column.min);
      const taken = Math.min(spare, Math.max(0, left));
      left -= taken;
      return { ...column, width: column.width - taken };
    })
    .toReversed();
}

/** Parses `--columns`. Returns the problem as text if a name is unknown. */
export function chooseColumns<Row>(
  columns: readonly Column<Row>[],
  names: string | undefined,
): readonly Column<Row>[] | string {
  if (names === undefined) return columns.filter(({ hidden }) => hidden !== true);
  const chosen = names.split(",").map((name) => name.trim().toLowerCase());
  const unknown = chosen.find((name) => !columns.some((column) => column.name === name));
  const known = columns.map(({ name }) => name).join(", ");
  if (unknown !== undefined) return `There is no column ${JSON.stringify(unknown)}. The columns are: ${known}.`;
  return chosen.flatMap((name) => columns.filter((column) => column.name === name));
}
