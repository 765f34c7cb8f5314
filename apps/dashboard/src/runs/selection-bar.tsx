/**
 * What can be done with the selected runs.
 */
import type { JSX } from "preact";
import type { RunList } from "./run-list.ts";

export function SelectionBar({ list }: { readonly list: RunList }): JSX.Element | null {
  const { value } = list.selected;
  if (value.size === 0) return null;
  return (
    <div class="selection-bar" role="region" aria-label="Selected runs">
      <span role="status">{value.size} selected</span>
      <button type="button" class="quiet" onClick={() => (list.selected.value = new Set())}>
        Clear
      </button>
    </div>
  );
}
