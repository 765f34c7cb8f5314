/**
 * Signed requests: callers prove that they have a secret without sending it.
 *
 * Owns: the choice of the key that a request names. Signatures use the same scheme as requests to step handlers (SEC3,
 * PROTOCOL.md).
 */
import { DEFAULT_LIMITS, HoldfastError } from "@holdfast/protocol";
import { SIGNATURE_HEADER, SeenNonces, checkSigningKey, verifyRequest } from "@holdfast/protocol/transport";
import { ApiRefusal } from "../refusal.ts";
import { readText } from "../request-body.ts";
import { SCOPES, type Scope, type VerifyRequest } from "./principal.ts";

/** The header that names the signing key of a request. */
export const KEY_HEADER = "Holdfast-Key";

export interface HmacKey {
  /** The value that the caller sends as `Holdfast-Key`. It is also the recorded subject. */
  readonly id: string;
  /** At least 16 characters. Two keys with the same id are both accepted, which allows replacing a secret. */
  readonly secret: string;
  readonly scopes?: readonly Scope[];
  readonly tenantId?: string;
}

/**
 * Accepts requests that are signed with one of the keys, are at most five minutes old, and are new to this isolate.
 * Returns `false` for a request without the header `Holdfast-Signature`: another verifier may accept it.
 * @throws HoldfastError `INVALID_ARGUMENT` for an empty list or a short secret.
 */
export function hmacAuth(keys: readonly HmacKey[], bodyBytesMax: number = DEFAULT_LIMITS.requestBytes): VerifyRequest {
  if (keys.length === 0) throw new HoldfastError("INVALID_ARGUMENT", "hmacAuth: needs at least one key.");
  for (const { secret } of keys) checkSigningKey(secret);
  const nonces = new SeenNonces();
  return async (request) => {
    const header = request.headers.get(SIGNATURE_HEADER);
    if (header === null) return false;
    const named = keys.filter(({ id }) => id === request.headers.get(KEY_HEADER));
    const { pathname, search } = new URL(request.url);
    const body = await readText(request.clone(), bodyBytesMax);
    const signed = { method: request.method, path: pathname + search, body };
    // An unknown key id takes the same time as a wrong signature.
    const secrets = (named.length === 0 ? keys.slice(0, 1) : named).map(({ secret }) => secret);
    const verdict = await verifyRequest(signed, header, secrets, Date.now());
    const [key] = named;
    if (key === undefined || !verdict.ok)
      return refuse(verdict.ok ? `no key has the id in ${KEY_HEADER}` : verdict.why);
    if (!nonces.add(`${key.id}/${verdict.nonce}`, verdict.at, Date.now())) return refuse("it was seen before");
    return { subject: key.id, tenantId: key.tenantId, scopes: key.scopes ?? SCOPES };
  };
}

function refuse(why: string): Response {
  return new ApiRefusal("unauthorized", `The signature of the request was rejected: ${why}.`, undefined, {
    "WWW-Authenticate": "Holdfast-Signature",
  }).toResponse();
}
