/**
 * Reads the body of a request, up to a limit (LIM2).
 *
 * Owns: the limit, which applies to the received bytes and not only to the headers, and the decoding. The caller writes
 * the error message.
 */

export type BodyText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: "too_large" | "not_utf8" | "too_slow" | "broken" };

/** The part of a `Request` that this file needs. */
interface WithBody {
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}

/**
 * Reads the body as text, every byte of it; without a body, the empty text. Reads at most one chunk beyond `bytesMax`, then
 * cancels. `msMax`: the time for the whole body, default: no limit.
 */
export async function readBodyText(
  { headers, body }: WithBody,
  bytesMax: number,
  msMax: number = Infinity,
): Promise<BodyText> {
  if (Number(headers.get("Content-Length") ?? 0) > bytesMax) return { ok: false, why: "too_large" };
  if (body === null) return { ok: true, text: "" };
  const reader = body.getReader();
  if (msMax === Infinity) return readWhole(reader, bytesMax);
  const { promise: tooSlow, resolve } = Promise.withResolvers<BodyText>();
  const timer = setTimeout(() => {
    resolve({ ok: false, why: "too_slow" });
    void reader.cancel().catch(() => {});
  }, msMax);
  try {
    return await Promise.race([readWhole(reader, bytesMax), tooSlow]);
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that breaks is the fault of the other side, or of nobody. */
async function readWhole(reader: ReadableStreamDefaultReader<Uint8Array>, bytesMax: number): Promise<BodyText> {
  try {
    return await readAll(reader, bytesMax);
  } catch {
    return { ok: false, why: "broken" };
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, bytesMax: number): Promise<BodyText> {
  // A mark of the order of bytes is a part of what was signed.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let bytes = 0;
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes += part.value.byteLength;
    if (bytes > bytesMax) {
      // Not awaited: of a request that the caller has cloned, it ends only when the clone is read or cancelled too.
      void reader.cancel().catch(() => {});
      return { ok: false, why: "too_large" };
    }
    const piece = decode(decoder, part.value);
    if (piece === undefined) return { ok: false, why: "not_utf8" };
    text += piece;
  }
  const rest = decode(decoder, undefined);
  return rest === undefined ? { ok: false, why: "not_utf8" } : { ok: true, text: text + rest };
}

/** Returns `undefined` if the bytes are not valid UTF-8. */
function decode(decoder: TextDecoder, bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
