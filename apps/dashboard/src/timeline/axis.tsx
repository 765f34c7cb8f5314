/**
 * The head of the timeline: the labels of the times, and a button for each break (T3).
 *
 * Owns: nothing but its elements. It reports which break the reader opens.
 */
import type { JSX } from "preact";
import { type Projection, xOf } from "./bars.ts";
import type { Tick } from "./ticks.ts";
import { formatDuration } from "./times.ts";

interface AxisProps {
  readonly projection: Projection;
  readonly ticks: readonly Tick[];
  readonly onOpenBreak: (from: number) => void;
}

/** A narrower button has no room for its text. Its name has it. */
const PILL_PX = 48;

export function Axis({ projection, ticks, onOpenBreak }: AxisProps): JSX.Element {
  const breaks = projection.scale.pieces.filter(({ isBreak }) => isBreak);
  return (
    <div class="tl-axis">
      {ticks.map(({ time, x, label, isFirst }) => (
        <span key={time} class={isFirst ? "tl-tick tl-tick-first" : "tl-tick"} style={{ left: `${x}px` }}>
          {label}
        </span>
      ))}
      {breaks.map(({ from, to }) => {
        const [x, end] = [xOf(from, projection), xOf(to, projection)];
        if (end < 0 || x > projection.width) return null;
        const idle = formatDuration(to - from);
        return (
          <button
            key={from}
            type="button"
            class="tl-break-button"
            style={{ left: `${x + 2}px`, width: `${Math.max(0, end - x - 4)}px` }}
            aria-label={`Show ${idle} in which nothing executes`}
            title={`Nothing executes for ${idle}. Click to show this time.`}
            onClick={() => onOpenBreak(from)}
          >
            {end - x < PILL_PX ? "⋯" : idle}
          </button>
        );
      })}
    </div>
  );
}
