/** The schemas of all messages between an orchestrator and an execution (SEC10). Each receiver applies them. */
import { entry } from "./journal.ts";
import * as execution from "./to-execution.ts";
import * as orchestrator from "./to-orchestrator.ts";

/** The schemas of messages to an execution. */
export const toExecution: typeof execution = execution;
/** The schemas of messages to the orchestrator. */
export const toOrchestrator: typeof orchestrator = orchestrator;
export { entry };
export { type Problem, type Schema, describeProblem, isRecord } from "./schema.ts";
