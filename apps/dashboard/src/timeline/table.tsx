/**
 * The timeline as a table: the same rows, as text, for screen readers and for copying.
 *
 * Owns: its pages. A page has a bounded number of rows, as the drawing has.
 */
import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { visible } from "../ui/text.tsx";
import { durationOf, kindOf, nameOf } from "./row-text.ts";
import type { Item, Layout } from "./state.ts";
import { type TimeFormat, formatAbsolute, formatTime } from "./times.ts";

interface TableProps {
  readonly layout: Layout;
  readonly now: number;
  readonly format: TimeFormat;
  readonly onSelect: (key: string) => void;
}

const PAGE_ROWS = 200;

export function TimelineTable({ layout: { items }, now, format, onSelect }: TableProps): JSX.Element {
  const from = useSignal(0);
  const to = Math.min(items.length, from.value + PAGE_ROWS);
  return (
    <div class="tl-table" tabIndex={0} role="region" aria-label="Operations as a table">
      <table>
        <caption>
          Operations {items.length === 0 ? 0 : from.value + 1} to {to} of {items.length}
        </caption>
        <thead>
          <tr>
            {["Operation", "Kind", "State", "Attempts", "Start", "Duration"].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.slice(from.value, to).map((item) => (
            <TableRow key={item.key} item={item} now={now} format={format} onSelect={onSelect} />
          ))}
        </tbody>
      </table>
      {items.length <= PAGE_ROWS ? null : <Pages from={from} count={items.length} />}
    </div>
  );
}

function TableRow({ item, now, format, onSelect }: Omit<TableProps, "layout"> & { readonly item: Item }): JSX.Element {
  const { row, key, depth } = item;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="tl-text-button" onClick={() => onSelect(key)}>
          {"– ".repeat(depth)}
          {visible(nameOf(row).name)}
        </button>
      </th>
      <td>{kindOf(row)}</td>
      <td>{row.state}</td>
      <td>{row.attempts || ""}</td>
      <td title={formatAbsolute(row.from, format.zone)}>{formatTime(row.from, format)}</td>
      <td>{durationOf(row, now)}</td>
    </tr>
  );
}

function Pages({ from, count }: { readonly from: Signal<number>; readonly count: number }): JSX.Element {
  const turn = (rows: number) => (): void => {
    from.value += rows;
  };
  return (
    <p class="tl-pages">
      <button type="button" disabled={from.value === 0} onClick={turn(-PAGE_ROWS)}>
        Earlier
      </button>
      <button type="button" disabled={from.value + PAGE_ROWS >= count} onClick={turn(PAGE_ROWS)}>
        Later
      </button>
    </p>
  );
}
