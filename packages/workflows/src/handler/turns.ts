/**
 * The handler's side of the pipe of turns, for the simulator of this repository. Not published.
 */
export { Connections } from "./connections.ts";
export { type TurnReply, TurnServer } from "./turn-server.ts";
