/**
 * The headers of every answer of the API (API5).
 */
import { HOLDFAST_VERSION } from "@holdfast/protocol";

/** An answer is about one moment and one caller, and its type is the one that it names. */
const HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Holdfast-Version": HOLDFAST_VERSION,
} as const;

/** Returns the answer with the headers. A verifier's own values stay. */
export function withHeaders(response: Response): Response {
  const answer = changeable(response);
  for (const [name, value] of Object.entries(HEADERS)) if (!answer.headers.has(name)) answer.headers.set(name, value);
  return answer;
}

/** Returns the response if its headers can be changed, else a copy. */
function changeable(response: Response): Response {
  try {
    response.headers.delete("Holdfast-Changeable");
    return response;
  } catch {
    return copyOf(response);
  }
}

/** The socket of an answer that opens one is copied by its name. */
function copyOf(response: Response): Response {
  if (response.status !== 101) return new Response(response.body, response);
  const { headers, webSocket } = response as Response & { readonly webSocket: unknown };
  return new Response(null, { status: 101, headers, webSocket } as ResponseInit);
}

/** Returns an answer with more headers. `undefined`: the header is left out. */
export function withMore(response: Response, more: Readonly<Record<string, string | undefined>>): Response {
  const answer = changeable(response);
  for (const [name, value] of Object.entries(more)) if (value !== undefined) answer.headers.set(name, value);
  return answer;
}
