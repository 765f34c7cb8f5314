/**
 * The orchestrator's side of the pipe of turns, for the simulator of this repository. Not published.
 */
export { PipeError } from "./pipe-error.ts";
export { TurnExecution } from "./turn-execution.ts";
export type { PostTurn, SenderTime } from "./turn-sender.ts";
