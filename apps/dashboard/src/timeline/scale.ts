/**
 * The horizontal scale: from times to positions and back, with breaks of a fixed width (T3, T4).
 *
 * Owns: the pieces of the scale. A position is a fraction of the whole, from 0 to 1; a view shows a part of it.
 *
 * Invariants
 * - TL4 The scale is monotone and continuous; `timeAt` is the inverse of `positionOf` inside the whole.
 */
import type { Interval } from "./idle.ts";

export interface Piece extends Interval {
  readonly isBreak: boolean;
  /** Positions from 0 to 1. */
  readonly start: number;
  readonly end: number;
}

/** All breaks together take at most this part of the width. */
const BREAKS_MAX_PART = 0.4;

export class TimeScale {
  readonly pieces: readonly Piece[];

  /** `breakPart`: the width of a break, as a part of the whole width. */
  constructor(whole: Interval, breaks: readonly Interval[], breakPart: number) {
    const part = Math.min(breakPart, BREAKS_MAX_PART / Math.max(1, breaks.length));
    const intervals = cut(whole, breaks);
    const shown = intervals.filter(({ isBreak }) => !isBreak);
    const active = shown.reduce((sum, { from, to }) => sum + (to - from), 0);
    const left = 1 - part * (intervals.length - shown.length);
    let start = 0;
    this.pieces = intervals.map(({ from, to, isBreak }, index) => {
      // If nothing takes time, the pieces are equally wide.
      const own = active > 0 ? (left * (to - from)) / active : left / shown.length;
      const end = index === intervals.length - 1 ? 1 : Math.min(1, start + (isBreak ? part : own));
      const piece = { from, to, isBreak, start, end };
      start = end;
      return piece;
    });
  }

  /** Returns the position of a time. A time outside the whole is at its edge. */
  positionOf(time: number): number {
    const piece = this.#find(({ to }) => time <= to);
    if (time <= piece.from) return piece.start;
    if (time >= piece.to) return piece.end;
    return piece.start + ((time - piece.from) / (piece.to - piece.from)) * (piece.end - piece.start);
  }

  timeAt(position: number): number {
    const piece = this.#find(({ end }) => position <= end);
    if (position <= piece.start) return piece.from;
    if (position >= piece.end) return piece.to;
    return piece.from + ((position - piece.start) / (piece.end - piece.start)) * (piece.to - piece.from);
  }

  /** Returns the first piece that meets a condition which holds for all later ones too, or the last one. */
  #find(reaches: (piece: Piece) => boolean): Piece {
    let [low, high] = [0, this.pieces.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      const piece = this.pieces[middle];
      if (piece !== undefined && reaches(piece)) high = middle;
      else low = middle + 1;
    }
    return this.pieces[low] ?? { from: 0, to: 0, isBreak: false, start: 0, end: 1 };
  }
}

/** Cuts the whole at the breaks, which are sorted and do not overlap. It begins and ends with a piece that is shown. */
function cut(whole: Interval, breaks: readonly Interval[]): (Interval & { readonly isBreak: boolean })[] {
  const intervals: (Interval & { isBreak: boolean })[] = [];
  let { from } = whole;
  for (const one of breaks) {
    intervals.push({ from, to: one.from, isBreak: false }, { ...one, isBreak: true });
    from = one.to;
  }
  intervals.push({ from, to: whole.to, isBreak: false });
  return intervals;
}

/** The part of the whole that is shown, as positions. */
export interface View {
  readonly start: number;
  readonly end: number;
}

export const WHOLE_VIEW: View = { start: 0, end: 1 };

/** A view is at least this wide: below it, differences of positions lose their precision. */
const VIEW_MIN = 1e-7;

/** Zooms by a factor around a position, which stays where it is. `factor` below 1 shows less. */
export function zoomView({ start, end }: View, factor: number, around: number): View {
  const width = Math.min(1, Math.max(VIEW_MIN, (end - start) * factor));
  const part = end > start ? (around - start) / (end - start) : 0.5;
  return placeView(around - width * part, width);
}

/** Moves by a part of the view. It stops at the edges. */
export function panView({ start, end }: View, part: number): View {
  return placeView(start + (end - start) * part, end - start);
}

/** The view between two positions, in either order. */
export function viewBetween(a: number, b: number): View {
  const start = Math.max(0, Math.min(a, b));
  return placeView(start, Math.max(VIEW_MIN, Math.min(1, Math.max(a, b)) - start));
}

function placeView(start: number, width: number): View {
  const placed = Math.min(1 - width, Math.max(0, start));
  return { start: placed, end: placed + width };
}
