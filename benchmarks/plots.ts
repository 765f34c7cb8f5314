/**
 * Draws a plot of each measure, as SVG.
 *
 * Owns: the axes and marks. Observable Plot draws into a document in memory.
 */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Measure, Row } from "./statistics.ts";

export interface Drawing {
  /** The id of the measure. */
  readonly id: string;
  readonly svg: string;
}

const WIDTH = 720;
const DASHES: Readonly<Record<string, string>> = { floor: "2,3", peer: "6,3" };

/** Draws the measures that have at least two rows of one unit. */
export function drawPlots(measures: readonly Measure[]): readonly Drawing[] {
  return measures.flatMap((measure) => {
    if (measure.rows.length < 2 || measure.id === "rows") return [];
    const sizes = new Set(measure.rows.map(({ n }) => n));
    const grows = sizes.size > 1 && measure.id !== "memory";
    return [{ id: measure.id, svg: render(grows ? linesOf(measure) : barsOf(measure)) }];
  });
}

/** Plots medians over N, both on logarithmic axes, with a line from the minimum to p99. */
function linesOf({ rows, unit }: Measure): Plot.PlotOptions {
  const channels = { x: "n", z: titleOf, stroke: titleOf };
  return {
    width: WIDTH,
    height: 420,
    marginRight: 130,
    marginLeft: 60,
    x: {
      type: "log",
      label: "N",
      ticks: [...new Set(rows.map(({ n }) => n ?? 0))],
      tickFormat: (n: number) => n.toLocaleString("en"),
    },
    y: { type: "log", label: unit, grid: true, tickFormat: "~g" },
    marks: [
      Plot.ruleX(rows, { x: "n", y1: "min", y2: "p99", stroke: titleOf, strokeOpacity: 0.35 }),
      ...["Holdfast", "floor", "peer"].map((who) =>
        Plot.line(
          rows.filter((row) => row.who === who),
          { ...channels, y: "median", strokeDasharray: DASHES[who] ?? "none" },
        ),
      ),
      Plot.dot(rows, { ...channels, y: "median", r: 2.5, fill: titleOf }),
      Plot.text(rows, Plot.selectLast({ x: "n", y: "median", z: titleOf, text: titleOf, dx: 8, textAnchor: "start" })),
    ],
  };
}

/** Plots medians as bars, with a line from the minimum to p99. */
function barsOf({ rows, unit }: Measure): Plot.PlotOptions {
  return {
    width: WIDTH,
    height: 60 + rows.length * 32,
    marginLeft: 130,
    marginRight: 60,
    x: { label: unit, grid: true },
    y: { label: null, domain: rows.map(titleOf) },
    marks: [
      Plot.barX(rows, { x: "median", y: titleOf, fill: "who", fillOpacity: 0.75 }),
      Plot.ruleY(rows, { x1: "min", x2: "p99", y: titleOf }),
      Plot.text(rows, {
        x: "p99",
        y: titleOf,
        text: (row: Row) => row.median.toPrecision(3),
        dx: 6,
        textAnchor: "start",
      }),
      Plot.ruleX([0]),
    ],
  };
}

/** Names a row: `inline, Holdfast`, `inline, floor`, `Restate`. */
function titleOf({ what, who }: Row): string {
  return who === "peer" ? what : `${what}, ${who}`;
}

function render(options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({ ...options, document, style: { background: "white", color: "black" } });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
}
