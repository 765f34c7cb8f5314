/**
 * Bearer tokens: `Authorization: Bearer …` (SEC1).
 *
 * Owns: the format of token lists, digests and their comparison, and the rule that a deployment without tokens rejects
 * every request.
 */
import { fromHex, toHex } from "@holdfast/protocol";
import * as v from "valibot";
import { TOKEN_CHARS_MIN, checkEntry, isId, isScopes, isSubject, isTenantMeta, listOf, refuse } from "./credentials.ts";
import { type Principal, SCOPES, type Scope, type VerifyRequest, checkedPrincipal, closed } from "./principal.ts";

export interface BearerToken {
  /** The token itself, of at least 16 characters, or (better) `sha256:` followed by its SHA-256 in lower-case hexadecimal. */
  readonly token: string;
  /** Default: all scopes. */
  readonly scopes?: readonly Scope[];
  readonly tenantId?: string;
  /** Default: `token-` and the first eight digits of its SHA-256. */
  readonly subject?: string;
  readonly tenantMeta?: Readonly<Record<string, unknown>>;
}

const TOKEN = v.strictObject({
  token: v.string("must be text"),
  scopes: v.optional(isScopes),
  tenantId: v.optional(isId),
  subject: v.optional(isSubject),
  tenantMeta: v.optional(isTenantMeta),
} satisfies Record<keyof BearerToken, v.GenericSchema>);

const encoder = new TextEncoder();

interface KnownToken {
  /** Of a token in plain text: computed for the first request. Not a promise, which belongs to the request that made it. */
  digest: Uint8Array | undefined;
  readonly given: BearerToken;
  principal?: Principal;
}

/**
 * Accepts requests with one of the tokens. A list of several tokens allows replacing one without downtime. The time of
 * the comparison does not depend on the presented token.
 * @param tokens A list; or one string: tokens separated by commas or white space, or a list as JSON.
 * @throws HoldfastError `INVALID_ARGUMENT` for an invalid list of tokens.
 */
export function bearerAuth(tokens: string | readonly (string | BearerToken)[] | null | undefined): VerifyRequest {
  const known = readTokens(tokens);
  if (known.length === 0) return closed;
  return async (request) => {
    const presented = /^Bearer +(\S+)$/i.exec(request.headers.get("Authorization") ?? "")?.[1];
    const given = await digest(presented ?? "");
    let found: KnownToken | undefined;
    for (const one of known) {
      one.digest ??= await digest(one.given.token);
      if (equal(one.digest, given)) found = one;
    }
    if (found === undefined || presented === undefined) return false;
    found.principal ??= checkedPrincipal(principalOf(found.given, given));
    return found.principal;
  };
}

function readTokens(tokens: Parameters<typeof bearerAuth>[0]): readonly KnownToken[] {
  const plain = typeof tokens === "string" && !/^\s*[[{"]/.test(tokens);
  const list = plain ? tokens.split(/[\s,]+/).filter((token) => token !== "") : listOf(tokens, "bearerAuth");
  const known = list.map(readToken);
  const texts = known.map(({ given }) => given.token);
  const again = texts.findIndex((text, i) => texts.indexOf(text) !== i);
  if (again >= 0) refuse(`bearerAuth: token ${again + 1} is in the list twice, so its rights are not defined.`);
  return known;
}

function readToken(one: string | BearerToken, index: number): KnownToken {
  const where = `bearerAuth: token ${index + 1}`;
  const given = typeof one === "string" ? { token: one } : one;
  checkEntry(TOKEN, given, where);
  // The digest of a token is no secret: it must not be a token because of a misspelt prefix.
  if (/^sha-?256[:=-]/i.test(given.token) && !given.token.startsWith("sha256:"))
    refuse(`${where}: a digest must start with "sha256:", in lower case.`);
  if (given.token.startsWith("sha256:")) return { digest: readDigest(given.token, where), given };
  if (given.token.length < TOKEN_CHARS_MIN) {
    refuse(`${where}: must have at least ${TOKEN_CHARS_MIN} characters. Make one with: openssl rand -hex 32`);
  }
  // No caller can send other characters, or they are remains of JSON and of quotes.
  if (!/^[!#-&(-+\--Z^-z|~]+$/.test(given.token)) {
    refuse(`${where}: must be ASCII without blanks, commas, quotes, brackets and backslashes.`);
  }
  return { digest: undefined, given };
}

function readDigest(token: string, where: string): Uint8Array {
  const hex = token.slice("sha256:".length);
  return /^[0-9a-f]{64}$/.test(hex)
    ? fromHex(hex)
    : refuse(`${where}: sha256: must be followed by 64 hexadecimal digits.`);
}

function principalOf({ scopes = SCOPES, tenantId, subject, tenantMeta }: BearerToken, digested: Uint8Array): Principal {
  return { subject: subject ?? `token-${toHex(digested.slice(0, 4))}`, tenantId, scopes, tenantMeta };
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** Compares digests of equal length in constant time. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
