/**
 * The minimap: the whole run at a glance, and a brush that chooses the view (T4).
 *
 * Owns: one canvas, drawn again when the rows or the theme change.
 */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { type View, WHOLE_VIEW, viewBetween } from "./scale.ts";
import { type Projection, barsOf } from "./bars.ts";
import type { Layout } from "./state.ts";

interface MinimapProps {
  readonly layout: Layout;
  readonly projection: Projection;
  readonly now: number;
  readonly onView: (view: View) => void;
}

const HEIGHT = 44;
/** It draws at most this many rows: more are not seen. */
const ROWS_MAX = 3_000;
/** A drag that is shorter than this is a click, pixels. */
const CLICK_PX = 4;

export function Minimap({ layout, projection, now, onView }: MinimapProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const start = useRef<number | undefined>(undefined);
  const { width, view } = projection;
  usePicture(canvas, layout, projection, now);
  const positionAt = (event: PointerEvent): number => {
    const { left } = canvas.current?.getBoundingClientRect() ?? { left: 0 };
    return Math.min(1, Math.max(0, (event.clientX - left) / Math.max(1, width)));
  };
  const drag = (event: PointerEvent): void => {
    const from = start.current;
    if (from === undefined) return;
    const to = positionAt(event);
    if (Math.abs(to - from) * width >= CLICK_PX) onView(viewBetween(from, to));
  };
  return (
    <div class="tl-minimap" style={{ width: `${width}px` }}>
      <canvas
        ref={canvas}
        aria-hidden="true"
        onPointerDown={(event) => {
          start.current = positionAt(event);
          canvas.current?.setPointerCapture(event.pointerId);
        }}
        onPointerMove={drag}
        onPointerUp={() => {
          start.current = undefined;
        }}
        onDblClick={() => onView(WHOLE_VIEW)}
      />
      <div class="tl-shade" style={{ left: "0", width: `${view.start * width}px` }} />
      <div class="tl-shade" style={{ left: `${view.end * width}px`, width: `${(1 - view.end) * width}px` }} />
    </div>
  );
}

/** Draws again when the rows, the breaks, the width or the theme changed. */
function usePicture(
  canvas: { readonly current: HTMLCanvasElement | null },
  layout: Layout,
  { scale, width }: Projection,
  now: number,
): void {
  useEffect(() => {
    const redraw = (): void => {
      if (canvas.current !== null) draw(canvas.current, layout, { scale, width, view: WHOLE_VIEW }, now);
    };
    redraw();
    const observer = new MutationObserver(redraw);
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, [layout, width, scale.pieces.length]);
}

function draw(canvas: HTMLCanvasElement, { items }: Layout, projection: Projection, now: number): void {
  const ratio = window.devicePixelRatio;
  const { width } = projection;
  const size = [Math.max(1, Math.round(width * ratio)), Math.round(HEIGHT * ratio)] as const;
  if (canvas.width !== size[0]) canvas.width = size[0];
  if (canvas.height !== size[1]) canvas.height = size[1];
  canvas.style.width = `${width}px`;
  canvas.style.height = `${HEIGHT}px`;
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const colours = coloursOf(canvas);
  const line = (HEIGHT - 8) / Math.max(8, items.length);
  const step = Math.max(1, items.length / ROWS_MAX);
  for (let place = 0; place < items.length; place += step) {
    const item = items[Math.floor(place)];
    if (item === undefined) continue;
    for (const bar of barsOf(item.row, projection, now)) {
      context.fillStyle = colours(bar.kind === "attempt" || bar.kind === "instant" ? bar.state : bar.kind);
      context.fillRect(bar.x, 4 + place * line, Math.max(1.5, bar.width), Math.max(1, line * 0.8));
    }
  }
}

/** Reads the colours of the theme. */
function coloursOf(element: HTMLElement): (of: string) => string {
  const style = getComputedStyle(element);
  const cache = new Map<string, string>();
  return (of) => {
    const known = cache.get(of);
    if (known !== undefined) return known;
    const name = of === "completed" ? "ok" : of === "failed" ? "bad" : of === "running" ? "run" : "line";
    const colour = style.getPropertyValue(`--tl-${name}`).trim() || "gray";
    cache.set(of, colour);
    return colour;
  };
}
