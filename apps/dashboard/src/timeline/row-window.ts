/**
 * Which rows are in the DOM: those of the viewport, and a few around it (T5).
 *
 * Owns: the range, and the scroll position that brings a row into view. All rows have the same height.
 */

export interface RowWindow {
  /** The first row, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

/** Rows above and below the viewport. */
const AROUND = 8;

/** `scrollTop`, `height` and `rowHeight` in pixels. */
export function windowOf(scrollTop: number, height: number, rowHeight: number, count: number): RowWindow {
  const first = Math.floor(Math.max(0, scrollTop) / rowHeight) - AROUND;
  const from = Math.min(Math.max(0, first), Math.max(0, count - 1));
  const rows = Math.ceil(Math.max(0, height) / rowHeight) + 2 * AROUND + 1;
  return { from, to: Math.min(count, from + rows) };
}

/** Returns the scroll position that shows a row with as little movement as possible. */
export function scrollToRow(index: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop;
}
