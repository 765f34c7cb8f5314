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

/** Returns the answer with the headers. A verifier's own values stay. An answer that opens a socket is left as it is. */
export function withHeaders(response: Response): Response {
  if (response.status === 101) return response;
  const answer = new Response(response.body, response);
  for (const [name, value] of Object.entries(HEADERS)) if (!answer.headers.has(name)) answer.headers.set(name, value);
  return answer;
}

/** Returns an answer with more headers. `undefined`: the header is left out. */
export function withMore(response: Response, more: Readonly<Record<string, string | undefined>>): Response {
  const answer = new Response(response.body, response);
  for (const [name, value] of Object.entries(more)) if (value !== undefined) answer.headers.set(name, value);
  return answer;
}
