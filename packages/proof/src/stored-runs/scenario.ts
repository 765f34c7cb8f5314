/** The workflow and the actions from which a stored run is recorded and continued. */
import type { CatalogueEntry } from "../catalogue/index.ts";

export interface Scenario {
  readonly entry: CatalogueEntry;
  /** Fields of the trigger besides the input. */
  readonly trigger?: Readonly<Record<string, unknown>>;
  /** Executions run at the other end of a pipe. */
  readonly remote?: true;
  /** The world has an index of runs, and the audit contains who acted. */
  readonly observed?: true;
  /** The run is resumed from an ended run of the same workflow. */
  readonly resume?: { readonly resumeFromStep?: string; readonly seedResults: readonly (readonly [string, string])[] };
}
