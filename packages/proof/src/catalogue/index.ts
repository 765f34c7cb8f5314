/** The catalogue of workflows, and the function that runs an entry on a host. */
export { makeCatalogue, slugOf, workflowsOf } from "./catalogue.ts";
export { openClockHost } from "./clock-host.ts";
export { JOURNALS } from "./journals.ts";
export { type MemoryContractOptions, openMemoryHost } from "./memory-contract-host.ts";
export {
  type ContractHost,
  type OpenedHost,
  type RunRecord,
  differences,
  journalDifferences,
  runEntry,
} from "./run-entry.ts";
export type { Crash } from "@holdfast/workflows/testing";
export type { CatalogueEntry, Cue, Outcome, Tools } from "./types.ts";
