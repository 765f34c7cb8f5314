/** What a stored run is recorded from, and driven on with. */
import type { CatalogueEntry } from "../catalogue/index.ts";

export interface Scenario {
  readonly entry: CatalogueEntry;
  /** What the trigger says beside the input. */
  readonly trigger?: Readonly<Record<string, unknown>>;
  /** Executions are at the other end of a pipe. */
  readonly remote?: true;
  /** There is an index of runs, and the audit names who acts. */
  readonly observed?: true;
  /** The run is resumed from one of the same workflow, which was played to its end before. */
  readonly resume?: { readonly resumeFromStep?: string; readonly seedResults: readonly (readonly [string, string])[] };
}
