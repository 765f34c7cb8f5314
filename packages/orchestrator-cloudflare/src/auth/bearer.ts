/**
 * Bearer tokens: `Authorization: Bearer …` (SEC1).
 *
 * Owns: the format of token lists, digests and their comparison, and the rule that a deployment without tokens rejects
 * every request.
 */
import { HoldfastError, fromHex, toHex } from "@holdfast/protocol";
import { type Principal, SCOPES, type Scope, type VerifyRequest, closed } from "./principal.ts";

export interface BearerToken {
  /** The token itself, or (better) `sha256:` followed by its SHA-256 in lower-case hexadecimal. */
  readonly token: string;
  /** Default: all scopes. */
  readonly scopes?: readonly Scope[];
  readonly tenantId?: string;
  /** Default: `token-` and the first eight digits of its SHA-256. */
  readonly subject?: string;
  readonly tenantMeta?: Readonly<Record<string, unknown>>;
}

interface KnownToken {
  readonly digest: Uint8Array | undefined;
  readonly given: BearerToken;
}

/**
 * Accepts requests with one of the tokens. A list of several tokens allows replacing one without downtime. The time of
 * the comparison does not depend on the presented token.
 * @param tokens A list; or one string: tokens separated by commas or white space, or a list as JSON.
 * @throws HoldfastError `INVALID_ARGUMENT` for an invalid list of tokens.
 */
export function bearerAuth(tokens: string | readonly (string | BearerToken)[] | null | undefined): VerifyRequest {
  const known = readTokens(tokens).map(readToken);
  if (known.length === 0) return closed;
  return async (request) => {
    const presented = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "")?.[1];
    const given = await digest(presented ?? "");
    let found: BearerToken | undefined;
    // Digest again for each request: a Worker must not share promises between requests.
    for (const one of known) {
      if (equal(one.digest ?? (await digest(one.given.token)), given)) found = one.given;
    }
    return found !== undefined && presented !== undefined && principalOf(found, given);
  };
}

function readTokens(tokens: Parameters<typeof bearerAuth>[0]): readonly (string | BearerToken)[] {
  // In plain workerd, a variable that is not set is null.
  if (tokens === undefined || tokens === null) return [];
  if (typeof tokens !== "string") return tokens;
  if (!tokens.trim().startsWith("[")) return tokens.split(/[\s,]+/).filter((token) => token !== "");
  try {
    return JSON.parse(tokens) as (string | BearerToken)[];
  } catch {
    // The text is secret, so the message does not quote it.
    throw new HoldfastError("INVALID_ARGUMENT", "bearerAuth: the list of tokens starts with [ but is not valid JSON.");
  }
}

function readToken(one: string | BearerToken, index: number): KnownToken {
  const given = typeof one === "string" ? { token: one } : one;
  const where = `bearerAuth: token ${index + 1}`;
  if (typeof given?.token !== "string" || given.token === "") {
    throw new HoldfastError("INVALID_ARGUMENT", `${where} has no "token".`);
  }
  const unknown = (given.scopes ?? []).find((scope) => !SCOPES.includes(scope));
  if (unknown !== undefined) {
    const text = `${where} has the unknown scope ${JSON.stringify(unknown)}. The scopes are ${SCOPES.join(", ")}.`;
    throw new HoldfastError("INVALID_ARGUMENT", text);
  }
  if (!given.token.startsWith("sha256:")) return { digest: undefined, given };
  const hex = given.token.slice("sha256:".length);
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new HoldfastError("INVALID_ARGUMENT", `${where}: sha256: must be followed by 64 hexadecimal digits.`);
  }
  return { digest: fromHex(hex), given };
}

function principalOf({ scopes = SCOPES, tenantId, subject, tenantMeta }: BearerToken, digested: Uint8Array): Principal {
  return { subject: subject ?? `token-${toHex(digested.slice(0, 4))}`, tenantId, scopes, tenantMeta };
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Compares digests of equal length in constant time. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
