/**
 * The orchestrator's side of the pipe of turns, for the simulator of this repository. Not published.
 */
export { PipeError } from "./pipe-error.ts";
export { TurnExecution } from "./turn-execution.ts";
export { ConnectedTurns, type OpenConnection } from "./connected-turns.ts";
export { Connections } from "./connections.ts";
export type { TurnCarrier } from "./turn-carrier.ts";
export type { SocketEvents } from "./turn-connection.ts";
export type { SenderTime } from "./turn-sender.ts";
