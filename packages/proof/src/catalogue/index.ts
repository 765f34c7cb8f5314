/** The catalogue of workflows, and playing it on a host. */
export { makeCatalogue, slugOf, workflowsOf } from "./catalogue.ts";
export { openClockHost } from "./clock-host.ts";
export { JOURNALS } from "./journals.ts";
export { type MemoryContractOptions, openMemoryHost } from "./memory-contract-host.ts";
export { type ContractHost, type OpenedHost, type RunRecord, differences, playEntry } from "./play.ts";
export type { Crash } from "@holdfast/workflows/testing";
export type { CatalogueEntry, Cue, Outcome, Tools } from "./types.ts";
