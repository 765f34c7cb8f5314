/**
 * Signed requests: callers prove that they have a secret without sending it.
 *
 * Owns: the choice of the key that a request names, and the nonces of each key, which every verifier of an isolate shares.
 * Signatures use the same scheme as requests to step handlers (SEC3, PROTOCOL.md).
 */
import { DEFAULT_LIMITS } from "@holdfast/protocol";
import { SIGNATURE_HEADER, SeenNonces, checkSigningKey, verifyRequest } from "@holdfast/protocol/transport";
import * as v from "valibot";
import { ApiRefusal } from "../refusal.ts";
import { readText } from "../request-body.ts";
import { checkEntry, isId, isScopes, isSubject, listOf, refuse as refuseList } from "./credentials.ts";
import { SCOPES, type Scope, type VerifyRequest, closed } from "./principal.ts";

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

/** The nonces by key id. They outlive a verifier, which a Worker may make for each request. Ids come from the deployer. */
const nonces = new Map<string, SeenNonces>();

function noncesOf(id: string): SeenNonces {
  const seen = nonces.get(id) ?? new SeenNonces();
  nonces.set(id, seen);
  return seen;
}

const KEY = v.strictObject({
  id: isSubject,
  secret: v.string("must be text"),
  scopes: v.optional(isScopes),
  tenantId: v.optional(isId),
} satisfies Record<keyof HmacKey, v.GenericSchema>);

/**
 * Accepts requests that are signed with one of the keys, are at most five minutes old, and are new to this isolate. The
 * signature covers the headers `Content-Type`, `Idempotency-Key` and `Prefer`, too.
 * Returns `false` for a request without the header `Holdfast-Signature`: another verifier may accept it.
 * @param given The keys as a list, or the list as JSON. Without keys every request is rejected with 503.
 * @throws HoldfastError `INVALID_ARGUMENT` for an invalid list or a short secret.
 */
export function hmacAuth(
  given: string | readonly HmacKey[] | null | undefined,
  bodyBytesMax: number = DEFAULT_LIMITS.requestBytes,
): VerifyRequest {
  const keys = readKeys(given);
  if (!Number.isSafeInteger(bodyBytesMax) || bodyBytesMax < 1) refuseList("hmacAuth: bodyBytesMax must be at least 1.");
  if (keys.length === 0) return closed;
  return async (request) => {
    const header = request.headers.get(SIGNATURE_HEADER);
    if (header === null) return false;
    const named = keys.filter(({ id }) => id === request.headers.get(KEY_HEADER));
    const { pathname, search } = new URL(request.url);
    const body = await readText(request.clone(), { bytesMax: bodyBytesMax, ms: DEFAULT_LIMITS.bodyMs });
    const signed = { method: request.method, path: pathname + search, body, headers: request.headers };
    // An unknown key id takes the same time as a wrong signature.
    const secrets = (named.length === 0 ? keys.slice(0, 1) : named).map(({ secret }) => secret);
    const verdict = await verifyRequest(signed, header, secrets, Date.now());
    const [key] = named;
    if (key === undefined) return refuse(verdict.ok ? `no key has the id in ${KEY_HEADER}` : verdict.why);
    if (!verdict.ok) return refuse(verdict.why, verdict.clocks ? "request_repeated" : "unauthorized");
    if (!noncesOf(key.id).add(verdict.nonce, verdict.at, Date.now()))
      return refuse("it was seen before", "request_repeated");
    return { subject: key.id, tenantId: key.tenantId, scopes: key.scopes ?? SCOPES };
  };
}

function readKeys(given: Parameters<typeof hmacAuth>[0]): readonly HmacKey[] {
  const keys = listOf(given, "hmacAuth");
  for (const [i, key] of keys.entries()) {
    checkEntry(KEY, key, `hmacAuth: key ${i + 1}`);
    checkSigningKey(key.secret);
    const same = keys.find(({ id }) => id === key.id) ?? key;
    if (same.tenantId !== key.tenantId || [...(same.scopes ?? SCOPES)].join() !== [...(key.scopes ?? SCOPES)].join())
      refuseList(`hmacAuth: key ${i + 1} has the id of another key, but not its scopes and tenantId.`);
  }
  return keys;
}

/** A proxy may have sent a request twice, or a clock is off for a moment: the caller signs the next attempt by itself. */
function refuse(why: string, code: "unauthorized" | "request_repeated" = "unauthorized"): Response {
  const headers = code === "unauthorized" ? { "WWW-Authenticate": "Holdfast-Signature" } : undefined;
  return new ApiRefusal(code, `The signature of the request was rejected: ${why}.`, undefined, headers).toResponse();
}
