/**
 * Messages of any size over Workers RPC, which takes 32 MiB in one message and has no such limit for a stream.
 *
 * Owns: the form of a larger message: its JSON in a stream of bytes. Both ends read both forms. A message that RPC takes is
 * sent as it is, so code that knows no streams gets none where it worked before.
 */

/** The longest texts of a message that RPC takes, in characters: two bytes each, and room for what is around them. */
const MESSAGE_CHARS_MAX = 15_000_000;

/** Returns what to send over RPC in place of a message: the message, or a stream. */
export function toRpc(message: unknown): unknown {
  return charsOf(message) > MESSAGE_CHARS_MAX ? new Response(JSON.stringify(message)).body : message;
}

/** Returns the message that the other side gave to `toRpc`. */
export async function fromRpc(sent: unknown): Promise<unknown> {
  return sent instanceof ReadableStream ? new Response(sent).json() : sent;
}

/** The length of all texts in a message. */
function charsOf(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 0;
  let chars = 0;
  for (const item of Object.values(value)) chars += charsOf(item);
  return chars;
}
