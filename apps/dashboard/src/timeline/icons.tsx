/**
 * The shapes of states: a state is never shown by its colour alone.
 *
 * Owns: one icon for each state of a row.
 */
import type { JSX } from "preact";
import type { RowState } from "./rows.ts";

/** Paths in a square of 16. */
const SHAPES: Readonly<Record<RowState, string>> = {
  completed: "M3.2 8.4 6.6 11.6 12.8 4.8",
  failed: "M4.2 4.2l7.6 7.6M11.8 4.2l-7.6 7.6",
  running: "M5.2 3.6v8.8L12.4 8z",
  retrying: "M12.6 8a4.6 4.6 0 1 1-1.5-3.4M12.8 2.4v3.2H9.6",
  waiting: "M8 2.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6M8 5v3.2l2.2 1.4",
  "timed out": "M8 2.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
  released: "M8 3.4a4.6 4.6 0 1 1 0 9.2 4.6 4.6 0 0 1 0-9.2",
  cancelled: "M8 2.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6M4.2 11.8l7.6-7.6",
  "taken over": "M3.4 5h9.2M3.4 8h9.2M3.4 11h9.2",
  "not finished": "M3.6 8h8.8",
};

export function StateIcon({ state }: { readonly state: RowState }): JSX.Element {
  return (
    <svg class="tl-icon" data-state={state} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={SHAPES[state]} />
    </svg>
  );
}
