/**
 * What carries the turns of one execution to its step handler.
 */
import type { TurnAnswer, TurnRequest } from "@holdfast/protocol";

/** Sends one request. Calls `alive` for each sign of life before the answer. Rejects with `PipeError` without a valid one. */
export type PostTurn = (request: TurnRequest, alive: () => void) => Promise<TurnAnswer>;

export interface TurnCarrier {
  readonly post: PostTurn;
  /** The execution sends nothing before the next update, or never again: nothing needs to stay open. */
  readonly rest?: () => void;
}
