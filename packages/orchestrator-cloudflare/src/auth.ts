/**
 * Who may call the API (SEC1).
 *
 * Owns: the verifier type, bearer tokens, and the rule that a deployment without configuration is closed.
 */
import { ApiRefusal } from "./api/refusals.ts";

/** `true` or a principal lets the request in, `false` answers 401; a response is the answer. */
export type VerifyResult = boolean | Response;

export type VerifyRequest = (request: Request) => VerifyResult | Promise<VerifyResult>;

/**
 * Lets in whoever presents one of the tokens as `Authorization: Bearer …`. Several tokens let one be replaced without a
 * gap. Comparison takes the same time whatever is presented.
 * @param tokens A list, or one string with tokens separated by commas or white space.
 */
export function bearerAuth(tokens: string | readonly string[] | undefined): VerifyRequest {
  const list = (typeof tokens === "string" ? tokens.split(/[\s,]+/) : (tokens ?? [])).filter((token) => token !== "");
  if (list.length === 0) return closed;
  return async (request) => {
    const presented = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "")?.[1];
    const given = await digest(presented ?? "");
    let found = false;
    // Digested anew each time: a Worker must not keep promises from one request to the next.
    for (const token of list) found = equal(await digest(token), given) || found;
    return found && presented !== undefined;
  };
}

/** Lets nobody in and says why. */
export const closed: VerifyRequest = () =>
  new ApiRefusal(
    "auth_not_configured",
    'This deployment has no authentication configured, so it serves nobody. Set the secret API_TOKENS to a list of tokens ("wrangler secret put API_TOKENS"), or set AUTH to "off" for local development.',
  ).toResponse();

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Compares digests of equal length without an early end. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
