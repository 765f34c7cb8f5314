/**
 * The choices above the timeline: idle time, zoom, times, the table.
 *
 * Owns: its buttons. Each has a name, and those that are on say so.
 */
import type { JSX } from "preact";
import { timeMode, timeZone, toggleTimeMode, toggleTimeZone } from "../ui/time-format.ts";
import { WHOLE_VIEW, zoomView } from "./scale.ts";
import type { Layout, TimelineState } from "./state.ts";
import { formatDuration } from "./times.ts";

export function Toolbar({ state, layout }: { readonly state: TimelineState; readonly layout: Layout }): JSX.Element {
  const { asTable, collapse } = state;
  const { whole, breaks, items } = layout;
  const operations = items.length;
  const idle = breaks.reduce((sum, { from, to }) => sum + (to - from), 0);
  return (
    <div class="tl-toolbar" role="toolbar" aria-label="Timeline">
      <p class="tl-summary">
        <b>{operations.toLocaleString("en")}</b> operation{operations === 1 ? "" : "s"}
        <b>{formatDuration(whole.to - whole.from)}</b> in all
        {idle === 0 ? null : (
          <>
            <b>{formatDuration(whole.to - whole.from - idle)}</b> active
          </>
        )}
      </p>
      <Toggle isOn={collapse.value} name="Collapse idle time" onToggle={() => state.toggleCollapse()} />
      <Toggle isOn={timeMode.value === "absolute"} name="Clock times" onToggle={toggleTimeMode} />
      <Toggle isOn={timeZone.value === "utc"} name="UTC" onToggle={toggleTimeZone} />
      <Toggle isOn={asTable.value} name="Table" onToggle={() => (asTable.value = !asTable.value)} />
      <Zoom state={state} />
    </div>
  );
}

function Zoom({ state: { view } }: { readonly state: TimelineState }): JSX.Element {
  const middle = (view.value.start + view.value.end) / 2;
  return (
    <span class="tl-zoom">
      <button type="button" aria-label="Zoom out" onClick={() => (view.value = zoomView(view.value, 1 / 0.7, middle))}>
        −
      </button>
      <button type="button" aria-label="Fit the whole run" onClick={() => (view.value = WHOLE_VIEW)}>
        Fit
      </button>
      <button type="button" aria-label="Zoom in" onClick={() => (view.value = zoomView(view.value, 0.7, middle))}>
        +
      </button>
    </span>
  );
}

function Toggle({
  isOn,
  name,
  onToggle,
}: {
  readonly isOn: boolean;
  readonly name: string;
  readonly onToggle: () => void;
}): JSX.Element {
  return (
    <button type="button" class="tl-toggle" aria-pressed={isOn} onClick={onToggle}>
      {name}
    </button>
  );
}
