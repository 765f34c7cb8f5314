/**
 * The keys of the timeline (T4).
 *
 * Owns: which key moves, folds, zooms or selects. No key changes the run.
 */
import { scrollToRow } from "./row-window.ts";
import { WHOLE_VIEW, panView, zoomView } from "./scale.ts";
import type { Item, TimelineState } from "./state.ts";

export interface KeyTarget {
  readonly state: TimelineState;
  readonly items: readonly Item[];
  readonly rowHeight: number;
  readonly select: (key: string) => void;
  /** Opens or closes the child of a row. */
  readonly fold: (item: Item, open: boolean) => void;
  readonly scrollTo: (top: number) => void;
}

const ZOOM_STEP = 0.7;
const PAN_STEP = 0.25;

/** Handles a key. Returns whether it was one of the timeline's. */
export function handleKey(event: KeyboardEvent, target: KeyTarget): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const { state } = target;
  const { view } = state;
  const middle = (view.value.start + view.value.end) / 2;
  switch (event.key) {
    case "+":
    case "=":
      view.value = zoomView(view.value, ZOOM_STEP, middle);
      return true;
    case "-":
      view.value = zoomView(view.value, 1 / ZOOM_STEP, middle);
      return true;
    case "0":
      view.value = WHOLE_VIEW;
      return true;
    default:
      return event.shiftKey ? panKey(event.key, state) : moveKey(event.key, target);
  }
}

function panKey(key: string, { view }: TimelineState): boolean {
  const step = key === "ArrowLeft" ? -PAN_STEP : key === "ArrowRight" ? PAN_STEP : 0;
  view.value = panView(view.value, step);
  return step !== 0;
}

function moveKey(key: string, target: KeyTarget): boolean {
  const { state, items, select, fold } = target;
  const { value: active } = state.active;
  const page = Math.max(1, Math.floor(state.size.value.height / target.rowHeight) - 1);
  const item = items[active];
  switch (key) {
    case "j":
    case "ArrowDown":
      return moveTo(active + 1, target);
    case "k":
    case "ArrowUp":
      return moveTo(active - 1, target);
    case "PageDown":
      return moveTo(active + page, target);
    case "PageUp":
      return moveTo(active - page, target);
    case "Home":
      return moveTo(0, target);
    case "End":
      return moveTo(items.length - 1, target);
    case "ArrowRight":
    case "ArrowLeft":
      if (item?.row.childRunId === undefined) return false;
      fold(item, key === "ArrowRight");
      return true;
    case "Enter":
      if (item !== undefined) select(item.key);
      return item !== undefined;
    default:
      return false;
  }
}

function moveTo(index: number, { state, items, rowHeight, scrollTo }: KeyTarget): boolean {
  const next = Math.min(items.length - 1, Math.max(0, index));
  state.active.value = next;
  scrollTo(scrollToRow(next, state.scrollTop.value, state.size.value.height, rowHeight));
  return true;
}
