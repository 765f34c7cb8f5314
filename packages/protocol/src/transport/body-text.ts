/**
 * Reads the body of a request, up to a limit (LIM2).
 *
 * Owns: the bound, which holds whatever the headers claim, and the decoding. The caller words the refusal.
 */

export type BodyText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly why: "too_large" | "not_utf8" };

/** What this file needs of a `Request`. */
interface WithBody {
  readonly headers: { get(name: string): string | null };
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The body as text; no body is the empty text. Reads at most one chunk beyond `bytesMax` and cancels the rest. */
export async function readBodyText({ headers, body }: WithBody, bytesMax: number): Promise<BodyText> {
  if (Number(headers.get("Content-Length") ?? 0) > bytesMax) return { ok: false, why: "too_large" };
  if (body === null) return { ok: true, text: "" };
  const reader = body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
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

/** `undefined`: these bytes are no UTF-8. */
function decode(decoder: TextDecoder, bytes: Uint8Array | undefined): string | undefined {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
