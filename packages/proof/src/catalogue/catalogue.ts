/**
 * The catalogue: workflows that demonstrate each rule. Every kind of host runs them.
 *
 * Owns: the list of all entries, and the workflows that are made from them.
 */
import { type Workflow, workflow } from "@holdfast/workflows";
import { compositionEntries } from "./composition.ts";
import { stepEntries } from "./steps.ts";
import type { CatalogueEntry, Tools } from "./types.ts";
import { shieldedEntries, undoingEntries } from "./undoing.ts";
import { waitEntries } from "./waits.ts";

export function makeCatalogue(tools: Tools): CatalogueEntry[] {
  return [
    ...stepEntries(tools),
    ...waitEntries(),
    ...compositionEntries(tools),
    ...undoingEntries(tools),
    ...shieldedEntries(tools),
  ];
}

/** Returns a short name of an entry. Workflow ids and run ids contain it. */
export function slugOf({ title }: CatalogueEntry): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 60);
}

/** Returns the workflows of all entries, including their children: one host serves all of them. */
export function workflowsOf(entries: readonly CatalogueEntry[]): Workflow[] {
  const own = entries.map((entry): Workflow =>
    workflow({ id: slugOf(entry), ...entry.config, run: (input, ctx) => entry.run(ctx, input) }),
  );
  return [...own, ...new Set(entries.flatMap(({ others = [] }) => others))];
}
