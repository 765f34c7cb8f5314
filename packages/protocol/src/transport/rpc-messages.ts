/**
 * Messages of any size over Workers RPC, which takes 32 MiB in one message and has no such limit for a stream.
 *
 * Owns: the form of a larger message: its JSON in a stream of bytes. Both ends read both forms. A message that RPC takes is
 * sent as it is, so code that knows no streams gets none where it worked before.
 */
import type { RpcBinding, RpcCall } from "../rpc.ts";

/** The longest texts of a message that RPC takes, in characters: two bytes each, and room for what is around them. */
const MESSAGE_CHARS_MAX = 15_000_000;

/** Returns the binding of the other Worker for messages of any size. */
export function anySizeBinding(binding: RpcBinding): RpcBinding {
  return {
    execute: (start, call) => {
      const answer = async (name: never, given: never): Promise<unknown> =>
        toRpc(await (call as Call)(name, await fromRpc(given)));
      return binding.execute(toRpc(start), answer as RpcCall);
    },
    workflows: () => binding.workflows(),
  };
}

/** Returns the function that a call has passed, for messages of any size. */
export function anySizeCall(call: RpcCall): RpcCall {
  const send = async (name: never, given: never): Promise<unknown> => fromRpc(await (call as Call)(name, toRpc(given)));
  return send as RpcCall;
}

/** A call whose name and message belong together: its caller has their types. */
type Call = (name: never, given: never) => unknown;

function toRpc<Message>(message: Message): Message {
  if (charsOf(message) <= MESSAGE_CHARS_MAX) return message;
  // A cast: only `fromRpc` sees the stream.
  return new Response(JSON.stringify(message)).body as Message;
}

/** Returns the message that the other side gave to `toRpc`. */
export async function fromRpc<Message>(message: Message): Promise<Message> {
  return message instanceof ReadableStream ? ((await new Response(message).json()) as Message) : message;
}

/** The length of all texts in a message. */
function charsOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let chars = 0;
  for (const item of Object.values(value)) chars += charsOf(item);
  return chars;
}
