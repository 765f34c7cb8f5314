/**
 * The Worker of the executable: that of apps/orchestrator-worker, with the log of a process.
 *
 * Owns: the order of the imports. The log is replaced before the code of the Worker is loaded.
 */
import { logStart } from "./start-log.ts";

export { default } from "@holdfast/orchestrator-worker";
export * from "@holdfast/orchestrator-worker";

logStart();
