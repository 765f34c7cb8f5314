/**
 * What can be done with the selected runs.
 */
import type { JSX } from "preact";
import { comparePath } from "../router.ts";
import { BulkBar } from "../act/bulk-bar.tsx";
import { countFor } from "./count-sums.ts";
import { counts } from "./counts.ts";
import type { RunList } from "./run-list.ts";

export function SelectionBar({ list }: { readonly list: RunList }): JSX.Element | null {
  const { value } = list.selected;
  if (value.size === 0) return null;
  return (
    <div class="selection-bar" role="region" aria-label="Selected runs">
      <span role="status">{value.size.toLocaleString("en")} selected</span>
      <Compare list={list} />
      <BulkBar
        count={countFor(counts.value, list.filter)}
        filter={list.filter}
        selected={value}
        onSelect={(ids) => (list.selected.value = new Set(ids))}
      />
      <button type="button" class="quiet" onClick={() => (list.selected.value = new Set())}>
        Clear
      </button>
    </div>
  );
}

/** Two selected runs can be compared: the older one is A. */
function Compare({ list }: { readonly list: RunList }): JSX.Element {
  const chosen = (list.rows.value ?? []).filter(({ id }) => list.selected.value.has(id));
  const [b, a, third] = chosen;
  if (a === undefined || b === undefined || third !== undefined)
    return <span class="muted">Select two runs to compare them</span>;
  return (
    <a class="button" href={comparePath(a.id, b.id)}>
      Compare
    </a>
  );
}
