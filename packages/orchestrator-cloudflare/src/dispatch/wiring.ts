/**
 * Mistakes in the wiring of a sibling Worker: the binding leads to a Worker that cannot answer the calls (DUR8).
 *
 * Owns: recognising them, and what the message says to do. A repetition cannot succeed, so nothing is retried.
 */

/** What to do if the binding has no RPC methods. */
export const NO_ENTRY_POINT =
  'The binding leads to a Worker without the RPC methods execute and workflows. Bind its entry point: add "entrypoint" with the name of its class of workflowsEntrypoint to `services` of wrangler.jsonc. Or pass pipe: "fetch" to createServiceBindingDispatcher, if the Worker answers with createStepHandler.';

/** What to do if the binding does not answer requests. */
export const NO_HANDLER =
  'The binding leads to a Worker without a fetch handler. Leave pipe: "fetch" out to call its entry point, or let the Worker answer with createStepHandler.';

/** The platform's errors for a method or a handler that the other Worker does not have. */
const NO_METHOD = /RPC receiver does not implement the method "(execute|workflows)"|receiver is not an RPC object/i;
const NO_FETCH = /does not (export|implement) a fetch|RPC receiver does not implement the method "fetch"/i;

/** Returns what to do about a mistake in the wiring; `undefined` for another error. */
export function wiringMistake(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (NO_METHOD.test(message)) return NO_ENTRY_POINT;
  return NO_FETCH.test(message) ? NO_HANDLER : undefined;
}
