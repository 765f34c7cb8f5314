/**
 * The catalogue: workflows that show each promise, played by every kind of host.
 *
 * Owns: putting the entries together, and making workflows of them.
 */
import { type Workflow, workflow } from "@holdfast/workflows";
import { compositionEntries } from "./composition.ts";
import { stepEntries } from "./steps.ts";
import type { CatalogueEntry, Tools } from "./types.ts";
import { undoingEntries } from "./undoing.ts";
import { waitEntries } from "./waits.ts";

export function makeCatalogue(tools: Tools): CatalogueEntry[] {
  return [...stepEntries(tools), ...waitEntries(), ...compositionEntries(tools), ...undoingEntries(tools)];
}

/** A short name of an entry, fit for run ids. */
export function slugOf({ title }: CatalogueEntry): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 60);
}

/** The workflows of all entries, children included: one host serves them all. */
export function workflowsOf(entries: readonly CatalogueEntry[]): Workflow[] {
  const own = entries.map((entry): Workflow =>
    workflow({ id: slugOf(entry), ...entry.config, run: (input, ctx) => entry.run(ctx, input) }),
  );
  return [...own, ...new Set(entries.flatMap(({ others = [] }) => others))];
}
