/**
 * The shapes of one row, in pixels (T2).
 *
 * Owns: clipping to the view, the least widths, and where the label of the duration has room.
 */
import type { RowState, Row, SpanKind } from "./rows.ts";
import { extentOf } from "./row-text.ts";
import type { TimeScale, View } from "./scale.ts";

export interface Bar {
  readonly kind: SpanKind;
  readonly state: RowState;
  readonly x: number;
  readonly width: number;
  /** It ends now, and grows. */
  readonly isOpen: boolean;
}

/** Where the label is: after the bars, before them, or nowhere. */
export interface LabelPlace {
  readonly x: number;
  readonly anchor: "start" | "end";
}

/** From positions to pixels of a view. */
export interface Projection {
  readonly scale: TimeScale;
  readonly view: View;
  readonly width: number;
}

/** Room for labels on the right of the view. */
export const LABEL_ROOM_PX = 52;

const BAR_MIN_PX = 3;
const CHAR_PX = 6.6;

export function xOf(time: number, { scale, view, width }: Projection): number {
  return ((scale.positionOf(time) - view.start) / (view.end - view.start)) * width;
}

/** Returns the bars that are in the view. */
export function barsOf(row: Row, projection: Projection, now: number): Bar[] {
  const bars: Bar[] = [];
  for (const { kind, state, from, to } of row.spans) {
    const isOpen = to === undefined;
    const start = xOf(from, projection);
    const end = xOf(Math.max(from, to ?? now), projection);
    const width = Math.max(kind === "delay" ? 0 : BAR_MIN_PX, end - start);
    // A moment has half of its shape on the left of its time.
    if (start > projection.width + 8 || start + width < -8) continue;
    const x = Math.max(start, -8);
    bars.push({ kind, state, x, width: Math.min(start + width, projection.width + 8) - x, isOpen });
  }
  return bars;
}

/** Returns where a text has room beside the bars of its row. */
export function placeLabel(text: string, row: Row, projection: Projection, now: number): LabelPlace | undefined {
  const { from, to } = extentOf(row, now);
  const needed = text.length * CHAR_PX + 10;
  const [start, end] = [xOf(from, projection), Math.max(xOf(to, projection), xOf(from, projection) + BAR_MIN_PX)];
  if (text === "" || start > projection.width || end < 0) return undefined;
  if (end + needed <= projection.width + LABEL_ROOM_PX) return { x: end + 7, anchor: "start" };
  return start - needed >= 0 ? { x: start - 7, anchor: "end" } : undefined;
}
