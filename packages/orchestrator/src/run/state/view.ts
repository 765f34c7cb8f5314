/**
 * The parts of a run that only some readers see.
 *
 * Owns: the parts, and the texts that replace messages about the deployment (SEC4). The caller decides who sees a part.
 */
import type { DispatchFailure } from "@holdfast/protocol";
import type { RunHeader } from "./run-header.ts";

/** Shown in place of the id of a token. */
export const HIDDEN = "[hidden]";

export interface View {
  /** The ids of tokens. */
  readonly tokenIds: boolean;
  /** The stacks of errors. */
  readonly stacks: boolean;
  /** What step handlers, proxies and the network said about a failure: it may name hosts inside the deployment. */
  readonly failures: boolean;
}

/** What a reader without any scope for a part sees. */
export const NO_PARTS: View = { tokenIds: false, stacks: false, failures: false };

/** What an author sees of a run of the testing kit. */
export const AUTHORS_VIEW: View = { tokenIds: true, stacks: false, failures: true };

/** The codes of errors whose message quotes another system, each with the text for readers who must not see it. */
const TEXTS: ReadonlyMap<unknown, string> = new Map([
  ["DISPATCH_FAILED", "The step handler cannot be reached."],
  ["DISPATCH_REFUSED", "The step handler rejected the execution."],
  [
    "PROTOCOL_MISMATCH",
    "Step handler and orchestrator do not fit: a message was invalid, or one side does not know a part of it.",
  ],
  ["SESSION_LOST", "The step handler lost the execution."],
  ["STICKY_ROUTING_REQUIRED", "The requests of one execution reached several instances of the step handler."],
]);

/** Returns an error of the engine with the message that the view allows. */
export function shownFailure<E extends { readonly code?: string | number | undefined; readonly message: string }>(
  error: E,
  { failures }: View,
): E {
  const text = failures ? undefined : TEXTS.get(error.code);
  return text === undefined
    ? error
    : { ...error, message: `${text} The log and callers with the scope operate have the details.` };
}

/** Returns the failure of dispatch as the view allows: its code, and for operators what the other side said. */
export function shownDispatch(dispatch: NonNullable<RunHeader["dispatch"]>, { failures }: View): DispatchFailure {
  const { code = "DISPATCH_FAILED", message, ...times } = dispatch;
  return { ...times, code, ...(failures ? { message } : {}) };
}
