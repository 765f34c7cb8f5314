/**
 * The keys of all pages, for the dialog that lists them. `help.tsx` handles those of every page, and `timeline/keys.ts` those
 * of the timeline.
 */
export interface KeyGroup {
  readonly name: string;
  readonly keys: readonly (readonly [key: string, meaning: string])[];
}

export const KEYS: readonly KeyGroup[] = [
  {
    name: "Everywhere",
    keys: [
      ["/", "Search"],
      ["j, k", "Next and previous row"],
      ["Enter", "Open the row"],
      ["t", "Relative or absolute times"],
      ["g r", "All runs"],
      ["g a", "Approvals"],
      ["g l", "Limits"],
      ["g c", "Schedules"],
      ["g e", "Events"],
      ["g w", "Workflows"],
      ["g s", "Start a run"],
      ["?", "This help"],
      ["Esc", "Close, or leave the search"],
    ],
  },
  { name: "List", keys: [["x", "Select the row"]] },
  {
    name: "Run",
    keys: [
      ["h, l", "Previous and next tab"],
      [".", "Actions on the run"],
    ],
  },
  {
    name: "Timeline",
    keys: [
      ["+, -, 0", "Zoom in, out, fit"],
      ["Shift ←, →", "Move the view"],
      ["←, →", "Close or open a child"],
      ["Home, End", "First and last row"],
      ["Alt", "Time between the selected row and the pointer"],
    ],
  },
];
