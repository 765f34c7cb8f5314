/**
 * The bars of the rows that are in the DOM: one drawing in front of the rows (T2).
 *
 * Owns: the shapes, the bands of breaks, the line at "now", and the lines from compensations to their steps. Screen readers
 * skip it: the rows have the same facts as text.
 */
import type { JSX } from "preact";
import { type Bar, LABEL_ROOM_PX, type Projection, barsOf, placeLabel, xOf } from "./bars.ts";
import type { RowWindow } from "./row-window.ts";
import { durationOf, extentOf } from "./row-text.ts";
import type { Row } from "./rows.ts";
import type { Item, Layout } from "./state.ts";
import type { Tick } from "./ticks.ts";

export const ROW_PX = 28;
const BAR_PX = 14;
const TOP = (ROW_PX - BAR_PX) / 2;

export interface TrackProps {
  readonly layout: Layout;
  readonly projection: Projection;
  readonly window: RowWindow;
  readonly ticks: readonly Tick[];
  readonly now: number;
  readonly isEnded: boolean;
}

export function Track(props: TrackProps): JSX.Element {
  const { layout, projection, window, ticks, now, isEnded } = props;
  const height = (window.to - window.from) * ROW_PX;
  const items = layout.items.slice(window.from, window.to);
  const nowX = xOf(now, projection);
  return (
    <svg class="tl-track" width={projection.width + LABEL_ROOM_PX} height={height} aria-hidden="true">
      <defs>
        <pattern id="tl-hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path class="tl-hatch" d="M0 0v6" />
        </pattern>
        <pattern id="tl-idle" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path class="tl-idle-line" d="M0 0v8" />
        </pattern>
      </defs>
      {ticks.map(({ x, time, isFirst }) => (
        <path key={time} class={isFirst ? "tl-grid tl-grid-first" : "tl-grid"} d={`M${x} 0V${height}`} />
      ))}
      <Breaks projection={projection} height={height} />
      {isEnded || nowX < 0 || nowX > projection.width ? null : <path class="tl-now" d={`M${nowX} 0V${height}`} />}
      {items.map((item, index) => (
        <Link key={item.key} item={item} place={window.from + index} {...props} />
      ))}
      {items.map((item, index) => (
        <Bars key={item.key} item={item} y={index * ROW_PX} projection={projection} now={now} />
      ))}
    </svg>
  );
}

function Breaks({ projection, height }: { readonly projection: Projection; readonly height: number }): JSX.Element {
  const { scale } = projection;
  const closed = scale.pieces.filter(({ isBreak }) => isBreak);
  return (
    <g>
      {closed.map(({ from, to }) => {
        const [x, end] = [xOf(from, projection), xOf(to, projection)];
        if (end < 0 || x > projection.width) return null;
        return (
          <g key={from} class="tl-break">
            <rect x={x} y="0" width={Math.max(0, end - x)} height={height} />
            <rect class="tl-break-hatch" x={x} y="0" width={Math.max(0, end - x)} height={height} />
            <path d={`M${x} 0V${height}M${end} 0V${height}`} />
          </g>
        );
      })}
    </g>
  );
}

interface BarsProps {
  readonly item: Item;
  readonly y: number;
  readonly projection: Projection;
  readonly now: number;
}

function Bars({ item: { row }, y, projection, now }: BarsProps): JSX.Element {
  const bars = barsOf(row, projection, now);
  const text = labelOf(row, now);
  const label = placeLabel(text, row, projection, now);
  return (
    <g class="tl-bars" data-kind={row.operation.kind} transform={`translate(0 ${y})`}>
      {bars.map((bar, index) => (
        <Shape key={index} bar={bar} />
      ))}
      {label === undefined ? null : (
        <text class="tl-label" x={label.x} y={ROW_PX / 2 + 4} text-anchor={label.anchor}>
          {text}
        </text>
      )}
    </g>
  );
}

function labelOf(row: Row, now: number): string {
  const duration = durationOf(row, now);
  return row.attempts > 1 && duration !== "" ? `${duration} · ${row.attempts} attempts` : duration;
}

export function Shape({ bar }: { readonly bar: Bar }): JSX.Element {
  const { kind, state, x, width, isOpen } = bar;
  const shared = { "data-state": state, "data-open": isOpen ? "" : undefined };
  switch (kind) {
    case "instant":
      return <path {...shared} class="tl-instant" d={`M${x} ${TOP + 1}l6 6-6 6-6-6z`} />;
    case "delay":
      return (
        <g {...shared} class="tl-delay">
          <rect x={x} y={TOP + 3} width={width} height={BAR_PX - 6} />
          <rect class="tl-delay-hatch" x={x} y={TOP + 3} width={width} height={BAR_PX - 6} />
        </g>
      );
    case "wait":
      return (
        <rect
          {...shared}
          class="tl-wait"
          x={x + 0.75}
          y={TOP + 2.75}
          width={Math.max(2, width - 1.5)}
          height={BAR_PX - 5.5}
          rx="4.25"
        />
      );
    case "child":
      return (
        <g {...shared} class="tl-child">
          <rect x={x + 0.75} y={TOP + 1.75} width={Math.max(2, width - 1.5)} height={BAR_PX - 3.5} rx="3" />
          <path d={`M${x + 1} ${TOP + BAR_PX / 2}H${x + Math.max(2, width - 1)}`} />
        </g>
      );
    case "attempt":
      return <Attempt bar={bar} />;
  }
}

function Attempt({ bar: { state, x, width, isOpen } }: { readonly bar: Bar }): JSX.Element {
  const radius = Math.min(3, width / 2);
  return (
    <g data-state={state} data-open={isOpen ? "" : undefined}>
      <rect class="tl-attempt" x={x} y={TOP} width={width} height={BAR_PX} rx={radius} />
      {state === "failed" && width >= 14 ? <path class="tl-cross" d={crossAt(x + width / 2)} /> : null}
    </g>
  );
}

/** A failed attempt has a cross, so that its colour is not the only difference. */
function crossAt(x: number): string {
  const y = TOP + BAR_PX / 2;
  return `M${x - 2.5} ${y - 2.5}l5 5M${x + 2.5} ${y - 2.5}l-5 5`;
}

interface LinkProps extends TrackProps {
  readonly item: Item;
  readonly place: number;
}

/** The line from the end of a step to its compensation. It is drawn with the compensation. */
function Link({ item, place, layout, projection, window, now }: LinkProps): JSX.Element | null {
  const { row, key } = item;
  const step = row.compensates === undefined ? undefined : key.slice(0, key.length - row.id.length) + row.compensates;
  const stepPlace = step === undefined ? undefined : layout.indexOf.get(step);
  const stepRow = stepPlace === undefined ? undefined : layout.items[stepPlace]?.row;
  if (stepPlace === undefined || stepRow === undefined) return null;
  const [x0, x1] = [xOf(extentOf(stepRow, now).to, projection), xOf(row.from, projection)];
  const y0 = (stepPlace - window.from) * ROW_PX + ROW_PX / 2 + BAR_PX / 2;
  const y1 = (place - window.from) * ROW_PX + ROW_PX / 2;
  const left = Math.min(x0 - 1.5, x1 - 12);
  return (
    <path class="tl-link" d={`M${x0 - 1.5} ${y0}${left < x0 - 1.5 ? `H${left}` : ""}V${y1 - 5}q0 5 5 5H${x1 - 3}`} />
  );
}
