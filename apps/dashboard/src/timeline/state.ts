/**
 * What a timeline shows: the rows of a run and of the children that are open, the view, and the choices of the reader.
 *
 * Owns: the models, and computing the layout again only when rows or the clock changed. The components read signals.
 *
 * Invariants
 * - TL5 Scrolling and zooming compute no layout.
 */
import { type Signal, signal } from "@preact/signals";
import { readChoice, writeChoice } from "../ui/choice.ts";
import type { Projection } from "./bars.ts";
import type { Entry, Run } from "./entries.ts";
import { type Interval, busyIntervals, findBreaks, wholeInterval } from "./idle.ts";
import { TimelineModel } from "./model.ts";
import type { Row } from "./rows.ts";
import { TimeScale, type View, WHOLE_VIEW } from "./scale.ts";

export interface RunData {
  readonly run: Run;
  readonly entries: readonly Entry[];
  /** How many earlier entries of a child are not loaded. */
  readonly notLoaded?: number | undefined;
}

/** A row with its place in the tree of runs. */
export interface Item {
  readonly row: Row;
  /** 0: the run itself; 1: a child that is open, … */
  readonly depth: number;
  /** Unique in the timeline. Of a row of the run itself: its operation. */
  readonly key: string;
}

export interface Layout {
  readonly items: readonly Item[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly whole: Interval;
  readonly breaks: readonly Interval[];
}

/** A layout of so many rows may be computed each second. */
const ROWS_PER_SECOND = 5_000;
/** The width of a break, pixels. */
const BREAK_PX = 70;
const COLLAPSE_KEY = "holdfast.timeline.idle";

type Fold = "loading" | "failed" | RunData;

export class TimelineState {
  readonly view: Signal<View> = signal(WHOLE_VIEW);
  readonly collapse: Signal<boolean> = signal(readChoice(COLLAPSE_KEY) !== "shown");
  /** The breaks that are opened by themselves, by their start. */
  readonly openBreaks: Signal<ReadonlySet<number>> = signal(new Set());
  readonly scrollTop: Signal<number> = signal(0);
  readonly size: Signal<{ readonly width: number; readonly height: number }> = signal({ width: 0, height: 0 });
  readonly active: Signal<number> = signal(-1);
  readonly hovered: Signal<number> = signal(-1);
  readonly comparing: Signal<boolean> = signal(false);
  readonly asTable: Signal<boolean> = signal(false);
  /** The children that are open, by the ids of their runs. */
  readonly folds: Signal<ReadonlyMap<string, Fold>> = signal(new Map());
  readonly #model = new TimelineModel();
  readonly #children = new Map<string, TimelineModel>();
  #added: readonly Entry[] = [];
  #memo: { readonly key: string; readonly layout: Layout } | undefined;

  /** How many rows of the run itself were built so far. */
  get built(): number {
    return this.#model.built;
  }

  /** Adds what is new since the last call: entries before and after those that it has. */
  update({ run, entries }: RunData): void {
    const before = this.#added;
    const place = before[0] === undefined ? -1 : entries.indexOf(before[0]);
    const end = place + before.length;
    const grows = place >= 0 && entries[end - 1] === before.at(-1);
    if (entries !== before) {
      if (grows) this.#model.add([...entries.slice(0, place), ...entries.slice(end)]);
      else this.#model.add(entries);
    }
    this.#added = entries;
    this.#model.setRun(run);
  }

  layout(run: Run, now: number): Layout {
    const folds = this.folds.value;
    const end = run.endedAt ?? this.#edge(now);
    const key = [this.#model.version, run.createdAt, end, this.collapse.value, ...folds.keys()].join();
    if (this.#memo?.key === key) return this.#memo.layout;
    const items = this.#items(this.#model.rows, 0, "");
    const rows = items.map(({ row }) => row);
    const whole = wholeInterval(rows, run.createdAt, end);
    const breaks = this.collapse.value ? findBreaks(busyIntervals(rows, whole, now), whole) : [];
    const layout = { items, whole, breaks, indexOf: new Map(items.map(({ key: of }, index) => [of, index])) };
    this.#memo = { key, layout };
    return layout;
  }

  /** The end of the time axis of a run that continues: seldom another one for many rows, so that the page stays smooth. */
  #edge(now: number): number {
    const seconds = Math.ceil(this.#model.rows.length / ROWS_PER_SECOND);
    return seconds <= 1 ? now : Math.ceil(now / (seconds * 1_000)) * seconds * 1_000;
  }

  projection({ whole, breaks }: Layout): Projection {
    const { width } = this.size.value;
    const closed = breaks.filter(({ from }) => !this.openBreaks.value.has(from));
    return { scale: new TimeScale(whole, closed, BREAK_PX / Math.max(1, width)), view: this.view.value, width };
  }

  /** Opens or closes a child. `load` reads its run. */
  async toggle(runId: string, load: (runId: string) => Promise<RunData>): Promise<void> {
    const { value } = this.folds;
    if (value.has(runId)) {
      this.folds.value = new Map([...value].filter(([id]) => id !== runId));
      this.#children.delete(runId);
      return;
    }
    this.#setFold(runId, "loading");
    const data = await load(runId).catch((): Fold => "failed");
    if (!this.folds.value.has(runId)) return;
    if (typeof data === "object") {
      const model = new TimelineModel();
      model.add(data.entries);
      model.setRun(data.run);
      this.#children.set(runId, model);
    }
    this.#memo = undefined;
    this.#setFold(runId, data);
  }

  toggleCollapse(): void {
    this.collapse.value = !this.collapse.value;
    this.view.value = WHOLE_VIEW;
    this.openBreaks.value = new Set();
    writeChoice(COLLAPSE_KEY, this.collapse.value ? "collapsed" : "shown");
  }

  openBreak(from: number): void {
    this.openBreaks.value = new Set([...this.openBreaks.value, from]);
  }

  #setFold(runId: string, fold: Fold): void {
    this.folds.value = new Map([...this.folds.value, [runId, fold]]);
  }

  #items(rows: readonly Row[], depth: number, prefix: string): Item[] {
    const folds = this.folds.value;
    if (folds.size === 0) return rows.map((row) => ({ row, depth, key: prefix + row.id }));
    return rows.flatMap((row) => {
      const item = { row, depth, key: prefix + row.id };
      const fold = row.childRunId === undefined ? undefined : folds.get(row.childRunId);
      const model = typeof fold === "object" ? this.#children.get(fold.run.id) : undefined;
      return model === undefined ? [item] : [item, ...this.#items(model.rows, depth + 1, `${row.childRunId}:`)];
    });
  }
}
