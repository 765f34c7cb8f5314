/**
 * The timeline of a run: a row for each operation on one clock.
 *
 * Owns: the rows in the DOM, the events of pointer, wheel and keys. It gets the record and the journal, and reports the
 * operation that the reader selects. Where things are is computed by the other files of this folder.
 *
 * Invariants
 * - TL6 Only the rows of the viewport, and a few around it, are in the DOM (T5).
 */
import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Tree } from "../ui/tree.tsx";
import { Axis } from "./axis.tsx";
import { Details } from "./details.tsx";
import type { Entry, Run } from "./entries.ts";
import { handleKey } from "./keys.ts";
import { Legend } from "./legend.tsx";
import { Minimap } from "./minimap.tsx";
import { RowItem } from "./row-item.tsx";
import type { Row } from "./rows.ts";
import { windowOf } from "./row-window.ts";
import { describeDifference } from "./row-text.ts";
import { panView, zoomView } from "./scale.ts";
import { type Item, type Layout, type RunData, TimelineState } from "./state.ts";
import { TimelineTable } from "./table.tsx";
import { ticksOf } from "./ticks.ts";
import { Toolbar } from "./toolbar.tsx";
import { timeMode, timeZone } from "../ui/time-format.ts";
import { type AnchoredRows, useAnchor } from "../ui/anchor.ts";
import { runPath } from "../router.ts";
import { visible } from "../ui/text.tsx";
import { Unloaded } from "../ui/unloaded.tsx";
import { ROW_PX, Track, type TrackProps } from "./track.tsx";

export interface TimelineProps {
  readonly run: Run;
  readonly entries: readonly Entry[];
  /** The time of the server, ms. */
  readonly now: () => number;
  /** `kind/occurrence/name` of an operation. */
  readonly selected?: string | undefined;
  /** Gets "" when the reader closes the details. */
  readonly onSelect: (op: string) => void;
  /** What the details of a row show beside its facts. `isOwn`: it is a row of the run, not of a child that is open. */
  readonly renderExtras?: ((row: Row, isOwn: boolean) => JSX.Element | null) | undefined;
  /** Reads a child. Absent: children cannot be opened. */
  readonly loadRun?: ((runId: string) => Promise<RunData>) | undefined;
  /** How many entries of the journal are not loaded yet. */
  readonly notLoaded?: number | undefined;
  readonly isLoading?: boolean | undefined;
  readonly onLoadMore?: (() => void) | undefined;
}

export function Timeline(props: TimelineProps): JSX.Element {
  const { run, entries, selected, onSelect } = props;
  const state = useMemo(() => new TimelineState(), [run.id]);
  state.update({ run, entries });
  const now = run.endedAt ?? props.now();
  const layout = state.layout(run, now);
  const format = { mode: timeMode.value, zone: timeZone.value, origin: run.startedAt ?? run.createdAt };
  const chosen = layout.items[layout.indexOf.get(selected ?? "") ?? -1];
  return (
    <div class={chosen === undefined ? "timeline" : "timeline tl-with-details"}>
      <div class="tl-main">
        <Toolbar state={state} layout={layout} />
        <Unloaded notLoaded={props.notLoaded} isLoading={props.isLoading} onLoadMore={props.onLoadMore} />
        <UnloadedChildren state={state} />
        {state.asTable.value ? (
          <TimelineTable layout={layout} now={now} format={format} onSelect={onSelect} />
        ) : (
          <Chart {...props} state={state} layout={layout} now={now} />
        )}
      </div>
      {chosen === undefined ? null : (
        <Details
          row={chosen.row}
          now={now}
          format={format}
          renderValue={renderTree}
          extras={props.renderExtras?.(chosen.row, chosen.depth === 0)}
          onClose={() => onSelect("")}
        />
      )}
    </div>
  );
}

/** Children that are open and not loaded whole. */
function UnloadedChildren({ state }: { readonly state: TimelineState }): JSX.Element {
  const data = [...state.folds.value.values()].filter((fold) => typeof fold === "object");
  return (
    <>
      {data.map(({ run, notLoaded = 0 }) =>
        notLoaded === 0 ? null : (
          <p class="unloaded" key={run.id}>
            {notLoaded.toLocaleString("en")} earlier entries of <a href={runPath(run.id)}>{visible(run.id)}</a> are not
            shown here.
          </p>
        ),
      )}
    </>
  );
}

interface ChartProps extends Omit<TimelineProps, "now"> {
  readonly state: TimelineState;
  readonly layout: Layout;
  readonly now: number;
}

function Chart(props: ChartProps): JSX.Element {
  const { state, layout, now, run, onSelect } = props;
  const scroll = useRef<HTMLDivElement>(null);
  useMeasure(scroll, state);
  useWheel(scroll, state);
  useAnchor(scroll, anchorOf(props));
  const projection = state.projection(layout);
  const format = { mode: timeMode.value, zone: timeZone.value, origin: run.startedAt ?? run.createdAt };
  const ticks = ticksOf(projection.scale, projection.view, projection.width, format);
  const { items } = layout;
  const fold = (item: Item, open: boolean): void => foldChild(props, item, open);
  const scrollTo = (top: number): void => {
    if (scroll.current !== null) scroll.current.scrollTop = top;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === "Alt") state.comparing.value = true;
    if (handleKey(event, { state, items, rowHeight: ROW_PX, select: onSelect, fold, scrollTo })) event.preventDefault();
  };
  const onKeyUp = ({ key }: KeyboardEvent): void => {
    if (key === "Alt") state.comparing.value = false;
  };
  return (
    <>
      <Minimap {...{ layout, projection, now }} onView={(view) => (state.view.value = view)} />
      <div class="tl-scroll" ref={scroll} onScroll={(event) => onScroll(props, event.currentTarget.scrollTop)}>
        <div class="tl-head">
          <Axis projection={projection} ticks={ticks} onOpenBreak={(from) => state.openBreak(from)} />
        </div>
        <Rows {...props} {...{ projection, ticks, fold, onKeyDown, onKeyUp }} />
      </div>
      <Legend />
      <Difference {...props} />
    </>
  );
}

function anchorOf({ layout: { items, indexOf }, notLoaded = 0 }: ChartProps): AnchoredRows<string> {
  const keyAt = (index: number): string | undefined => items[index]?.key;
  return { count: items.length, rowPx: ROW_PX, keyAt, indexOf: (key) => indexOf.get(key), opensAtEnd: notLoaded > 0 };
}

/** The first rows that are loaded are in view: the reader wants those before them. */
function onScroll({ state, notLoaded = 0, isLoading = false, onLoadMore }: ChartProps, top: number): void {
  const isUp = top < state.scrollTop.value;
  state.scrollTop.value = top;
  if (isUp && top < 8 * ROW_PX && notLoaded > 0 && !isLoading) onLoadMore?.();
}

function foldChild({ state, loadRun }: ChartProps, { row: { childRunId } }: Item, open: boolean): void {
  if (childRunId === undefined || loadRun === undefined || state.folds.value.has(childRunId) === open) return;
  void state.toggle(childRunId, loadRun);
}

interface RowsProps extends ChartProps, Pick<TrackProps, "projection" | "ticks"> {
  readonly fold: (item: Item, open: boolean) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly onKeyUp: (event: KeyboardEvent) => void;
}

function Rows(props: RowsProps): JSX.Element {
  const { state, layout, projection, ticks, now, run, selected, onSelect, loadRun, fold, onKeyDown, onKeyUp } = props;
  const { items } = layout;
  const window = windowOf(state.scrollTop.value, state.size.value.height, ROW_PX, items.length);
  return (
    <div
      class="tl-body"
      role="tree"
      tabIndex={0}
      aria-label="Operations of the run"
      aria-activedescendant={items[state.active.value] === undefined ? undefined : `tl-row-${state.active.value}`}
      style={{ height: `${Math.max(1, items.length) * ROW_PX}px` }}
      {...{ onKeyDown, onKeyUp }}
      onMouseLeave={() => (state.hovered.value = -1)}
    >
      <div class="tl-window" role="none" style={{ top: `${window.from * ROW_PX}px` }}>
        {items.slice(window.from, window.to).map((item, offset) => (
          <RowItem
            {...{ item, state, onSelect }}
            key={item.key}
            index={window.from + offset}
            count={items.length}
            isSelected={item.key === selected}
            canFold={loadRun !== undefined}
            onFold={fold}
          />
        ))}
        <Track {...{ layout, projection, window, ticks, now }} isEnded={run.endedAt !== undefined} />
      </div>
    </div>
  );
}

/** While Alt is held: the time between the selected row and the one below the pointer (T4). */
function Difference({
  state,
  layout,
  selected,
  now,
}: Pick<ChartProps, "state" | "layout" | "selected" | "now">): JSX.Element | null {
  const [a, b] = [layout.items[layout.indexOf.get(selected ?? "") ?? -1], layout.items[state.hovered.value]];
  if (!state.comparing.value || a === undefined || b === undefined || a === b) return null;
  return (
    <p class="tl-difference" role="status">
      {describeDifference(a.row, b.row, now)}
    </p>
  );
}

function useMeasure(scroll: { readonly current: HTMLDivElement | null }, state: TimelineState): void {
  useLayoutEffect(() => {
    const element = scroll.current;
    if (element === null) return undefined;
    const measure = (): void => {
      const axis = element.querySelector(".tl-axis");
      const { value } = state.size;
      const next = { width: Math.floor(axis?.clientWidth ?? 0), height: element.clientHeight };
      if (next.width !== value.width || next.height !== value.height) state.size.value = next;
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [state]);
}

/** Ctrl and the wheel zoom around the pointer; a horizontal wheel moves the view. */
function useWheel(scroll: { readonly current: HTMLDivElement | null }, state: TimelineState): void {
  useLayoutEffect(() => {
    const element = scroll.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent): void => {
      const axis = element.querySelector(".tl-axis")?.getBoundingClientRect();
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (axis === undefined || (!event.ctrlKey && sideways === 0)) return;
      event.preventDefault();
      const { view } = state;
      const { start, end } = view.value;
      const around = start + ((event.clientX - axis.left) / Math.max(1, axis.width)) * (end - start);
      view.value = event.ctrlKey
        ? zoomView(view.value, Math.exp(event.deltaY / 300), around)
        : panView(view.value, sideways / Math.max(1, axis.width));
    };
    // The browser zooms the page unless the listener says in advance that it may prevent that.
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [state]);
}

function renderTree(value: unknown): JSX.Element {
  return <Tree value={value} />;
}
