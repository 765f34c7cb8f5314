/**
 * The timeline of a run as a picture: the drawing of the page, with its names, times and legend, in one SVG file.
 *
 * Owns: the places of the parts. The shapes, colours and texts are those of the page.
 */
/** @jsxImportSource preact */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JSX } from "preact";
import { type Projection, xOf } from "../../src/timeline/bars.ts";
import { StateIcon } from "../../src/timeline/icons.tsx";
import { EXAMPLES } from "../../src/timeline/legend.tsx";
import { nameOf } from "../../src/timeline/row-text.ts";
import { TimeScale, WHOLE_VIEW } from "../../src/timeline/scale.ts";
import type { Item, Layout } from "../../src/timeline/state.ts";
import { type Tick, ticksOf } from "../../src/timeline/ticks.ts";
import { formatDuration } from "../../src/timeline/times.ts";
import { ROW_PX, Shape, Track } from "../../src/timeline/track.tsx";

const [WIDTH, NAMES, RIGHT, HEAD, AXIS, FOOT] = [1_000, 176, 62, 52, 30, 40] as const;
const TRACK = WIDTH - NAMES - RIGHT;
const BREAK_PX = 70;

interface PictureProps {
  readonly title: string;
  readonly status: string;
  readonly layout: Layout;
  readonly theme: "light" | "dark";
}

export function Picture({ title, status, layout, theme }: PictureProps): JSX.Element {
  const { items, whole, breaks } = layout;
  const projection = { scale: new TimeScale(whole, breaks, BREAK_PX / TRACK), view: WHOLE_VIEW, width: TRACK };
  const ticks = ticksOf(projection.scale, WHOLE_VIEW, TRACK, { mode: "relative", zone: "utc", origin: whole.from });
  const [top, height] = [HEAD + AXIS, items.length * ROW_PX];
  const idle = breaks.reduce((sum, { from, to }) => sum + (to - from), 0);
  const took = `${formatDuration(whole.to - whole.from)} in all, ${formatDuration(whole.to - whole.from - idle)} active`;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      viewBox={`0 0 ${WIDTH} ${top + height + FOOT}`}
      data-theme={theme}
      role="img"
    >
      <title>{`The timeline of the run ${title}`}</title>
      <style>{styleText()}</style>
      <g class="timeline">
        <rect class="p-page" x="0.5" y="0.5" width={WIDTH - 1} height={top + height + FOOT - 1} rx="10" />
        <text class="p-title" x="16" y="32">
          {title}
        </text>
        <text class="p-soft" x={NAMES + 6} y="32">
          {`${status} · ${items.length} operations · ${took}`}
        </text>
        <path
          class="p-rule"
          d={`M0 ${HEAD}H${WIDTH}M0 ${top}H${WIDTH}M0 ${top + height}H${WIDTH}M${NAMES} ${HEAD}V${top + height}`}
        />
        <g transform={`translate(${NAMES} ${HEAD})`}>
          <AxisTexts projection={projection} ticks={ticks} />
        </g>
        {items.map((item, index) => (
          <Name key={item.key} item={item} y={top + index * ROW_PX} />
        ))}
        <g transform={`translate(${NAMES} ${top})`}>
          <Track {...{ layout, projection, ticks, now: whole.to }} window={{ from: 0, to: items.length }} isEnded />
        </g>
        <LegendRow y={top + height + (FOOT - ROW_PX) / 2} />
      </g>
    </svg>
  );
}

function AxisTexts({
  projection,
  ticks,
}: {
  readonly projection: Projection;
  readonly ticks: readonly Tick[];
}): JSX.Element {
  return (
    <>
      {ticks.map(({ time, x, label, isFirst }) => (
        <text key={time} class={isFirst ? "p-first" : "p-tick"} x={x + 5} y="19">
          {label}
        </text>
      ))}
      {projection.scale.pieces
        .filter(({ isBreak }) => isBreak)
        .map(({ from, to }) => {
          const [x, end] = [xOf(from, projection), xOf(to, projection)];
          return (
            <g key={from}>
              <rect class="p-pill" x={x + 2} y="5" width={end - x - 4} height="20" rx="10" />
              <text class="p-tick" x={(x + end) / 2} y="19" text-anchor="middle">
                {formatDuration(to - from)}
              </text>
            </g>
          );
        })}
    </>
  );
}

function Name({ item: { row, depth }, y }: { readonly item: Item; readonly y: number }): JSX.Element {
  const { prefix, name } = nameOf(row);
  const left = 12 + depth * 18;
  return (
    <>
      <g transform={`translate(${left} ${y + 7})`}>
        <StateIcon state={row.state} />
      </g>
      <text class="p-name" x={left + 22} y={y + 18}>
        {prefix === "" ? null : <tspan class="p-kind">{`${prefix} `}</tspan>}
        {name}
      </text>
    </>
  );
}

function LegendRow({ y }: { readonly y: number }): JSX.Element {
  return (
    <g transform={`translate(14 ${y})`}>
      {EXAMPLES.map(([kind, state, text, of], index) => (
        <g key={text} data-kind={of} transform={`translate(${legendX(index)} 0)`}>
          <Shape bar={{ kind, state, x: 0, width: 22, isOpen: false }} />
          <text class="p-tick" x="30" y="18">
            {text}
          </text>
        </g>
      ))}
    </g>
  );
}

function legendX(index: number): number {
  return EXAMPLES.slice(0, index).reduce((x, [, , text]) => x + 62 + text.length * 6, 0);
}

/** The rules of the page for the drawing, and those for what is HTML in the page. */
function styleText(): string {
  const page = readFileSync(join(import.meta.dirname, "../../src/timeline/timeline.css"), "utf8");
  const rules =
    page
      .slice(0, page.indexOf("@media"))
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .match(/[^{}]+\{[^{}]*\}/g) ?? [];
  const drawing =
    /\.timeline \{|tl-(?:grid|break(?! ?-button)|idle|hatch|attempt\b|delay|wait|child|instant|link|cross|label|icon)\b/;
  const chosen = rules
    .filter((rule) => drawing.test(rule) && !/button|attempts|::before/.test(rule))
    .map((rule) => rule.trim());
  return `${chosen.join("\n")}
.timeline { font-family: system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; }
.p-page { fill: var(--tl-bg); stroke: var(--tl-rule); }
.p-rule { stroke: var(--tl-rule); fill: none; }
.p-pill { fill: var(--tl-idle); stroke: var(--tl-rule); stroke-dasharray: 3 2; }
.p-title { font-size: 16px; font-weight: 650; fill: var(--tl-ink); }
.p-soft { font-size: 13px; fill: var(--tl-soft); }
.p-name { font-size: 13px; fill: var(--tl-ink); }
.p-kind { font-size: 11px; fill: var(--tl-soft); }
.p-tick { font-size: 11px; fill: var(--tl-soft); }
.p-first { font-size: 11px; font-weight: 600; fill: var(--tl-ink); }
`;
}
