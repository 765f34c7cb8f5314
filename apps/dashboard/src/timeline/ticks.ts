/**
 * The labels of the time axis (T3, T8).
 *
 * Owns: the choice of steps that people read, and which labels have room. Each piece between two breaks begins with a whole
 * label; the labels after it count from there.
 */
import type { Piece, TimeScale, View } from "./scale.ts";
import { type TimeFormat, formatClock, formatDuration, formatTime, offsetAt } from "./times.ts";

export interface Tick {
  readonly time: number;
  /** Pixels from the left edge of the view. */
  readonly x: number;
  readonly label: string;
  /** The first of its piece. */
  readonly isFirst: boolean;
}

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];
const STEPS: readonly number[] = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000].map((count) => count * DAY),
];

/** The least distance of two ticks, and the width of a character, pixels. */
const TICK_MIN_PX = 84;
const CHAR_PX = 6.6;

/** Returns the ticks of the view, from left to right. */
export function ticksOf(scale: TimeScale, view: View, width: number, format: TimeFormat): Tick[] {
  const ticks: Tick[] = [];
  let free = -Infinity;
  for (const piece of scale.pieces) {
    // The button of the break after the piece needs its room.
    const end = Math.min(width, ((piece.end - view.start) / (view.end - view.start)) * width);
    if (piece.isBreak || piece.end < view.start || piece.start > view.end) continue;
    for (const { time, label, isFirst } of ticksOfPiece(piece, scale, view, width, format)) {
      const x = ((scale.positionOf(time) - view.start) / (view.end - view.start)) * width;
      const needed = label.length * CHAR_PX + 12;
      if (x < -1 || x < free || x + needed > end + 8) continue;
      ticks.push({ time, x, label, isFirst });
      free = x + needed;
    }
  }
  return ticks;
}

type Label = Omit<Tick, "x">;

function* ticksOfPiece(
  piece: Piece,
  scale: TimeScale,
  view: View,
  width: number,
  format: TimeFormat,
): Generator<Label, void> {
  const [from, to] = [scale.timeAt(Math.max(piece.start, view.start)), scale.timeAt(Math.min(piece.end, view.end))];
  const whole =
    format.mode === "absolute" ? formatClock(piece.from, format.zone, SECOND) : startLabel(piece.from, format);
  if (piece.start >= view.start) yield { time: piece.from, label: whole, isFirst: true };
  const pixels = ((piece.end - piece.start) / (view.end - view.start)) * width;
  const step = stepFor(((piece.to - piece.from) / pixels) * TICK_MIN_PX);
  if (step === undefined || to <= from) return;
  const base = format.mode === "absolute" ? alignedBase(piece.from, step, format.zone) : piece.from;
  for (let time = base + Math.max(1, Math.ceil((from - base) / step)) * step; time <= to; time += step)
    yield { time, label: labelOf(time, piece.from, step, format), isFirst: false };
}

function startLabel(time: number, format: TimeFormat): string {
  return time === format.origin ? "0" : formatTime(time, format);
}

function labelOf(time: number, from: number, step: number, { mode, zone }: TimeFormat): string {
  return mode === "absolute" ? formatClock(time, zone, step) : `+${formatDuration(time - from)}`;
}

/** The last multiple of the step before a time, in the zone. */
function alignedBase(time: number, step: number, zone: "utc" | "local"): number {
  const offset = zone === "utc" ? 0 : offsetAt(time) * MINUTE;
  return Math.floor((time + offset) / step) * step - offset;
}

function stepFor(least: number): number | undefined {
  return Number.isFinite(least) ? STEPS.find((step) => step >= least) : undefined;
}
