/**
 * Bearer tokens: `Authorization: Bearer …` (SEC1).
 *
 * Owns: how tokens are written down, digested and compared, and the rule that a deployment without configuration is
 * closed.
 */
import { HoldfastError, fromHex, toHex } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";
import { type Principal, SCOPES, type Scope, type VerifyRequest } from "./principal.ts";

export interface BearerToken {
  /** The token itself, or, better, `sha256:` and its SHA-256 in lower-case hexadecimal. */
  readonly token: string;
  /** Default: all of them. */
  readonly scopes?: readonly Scope[];
  readonly tenantId?: string;
  /** Default: `token-` and the first eight digits of its SHA-256. */
  readonly subject?: string;
  readonly tenantMeta?: Readonly<Record<string, unknown>>;
}

interface Known {
  readonly digest: Uint8Array | undefined;
  readonly given: BearerToken;
}

/**
 * Accepts a caller that presents one of the tokens. With several tokens one can be replaced without a gap. Comparison takes the
 * same time whatever is presented.
 * @param tokens A list; or one string: tokens separated by commas or white space, or such a list as JSON.
 * @throws HoldfastError `INVALID_ARGUMENT` for what is no list of tokens.
 */
export function bearerAuth(tokens: string | readonly (string | BearerToken)[] | null | undefined): VerifyRequest {
  const known = readTokens(tokens).map(readToken);
  if (known.length === 0) return closed;
  return async (request) => {
    const presented = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "")?.[1];
    const given = await digest(presented ?? "");
    let found: BearerToken | undefined;
    // Digested again each time: a Worker must not keep promises from one request to the next.
    for (const one of known) {
      if (equal(one.digest ?? (await digest(one.given.token)), given)) found = one.given;
    }
    return found !== undefined && presented !== undefined && principalOf(found, given);
  };
}

/** Lets nobody in and says why. */
export const closed: VerifyRequest = () =>
  new ApiRefusal(
    "auth_not_configured",
    'This deployment has no authentication configured, so it serves nobody. Set the secret API_TOKENS to a list of tokens ("wrangler secret put API_TOKENS"), or set AUTH to "off" for local development.',
  ).toResponse();

function readTokens(tokens: Parameters<typeof bearerAuth>[0]): readonly (string | BearerToken)[] {
  // A variable that is not set is null in plain workerd.
  if (tokens === undefined || tokens === null) return [];
  if (typeof tokens !== "string") return tokens;
  if (!tokens.trim().startsWith("[")) return tokens.split(/[\s,]+/).filter((token) => token !== "");
  try {
    return JSON.parse(tokens) as (string | BearerToken)[];
  } catch {
    // The text is secret: it is not shown.
    throw new HoldfastError("INVALID_ARGUMENT", "bearerAuth: the list of tokens begins with [ and is no JSON.");
  }
}

function readToken(one: string | BearerToken, index: number): Known {
  const given = typeof one === "string" ? { token: one } : one;
  const where = `bearerAuth: token ${index + 1}`;
  if (typeof given?.token !== "string" || given.token === "") {
    throw new HoldfastError("INVALID_ARGUMENT", `${where} has no "token".`);
  }
  const unknown = (given.scopes ?? []).find((scope) => !SCOPES.includes(scope));
  if (unknown !== undefined) {
    const text = `${where} has the scope ${JSON.stringify(unknown)}; there are ${SCOPES.join(", ")}.`;
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

/** Compares digests of equal length without an early end. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
