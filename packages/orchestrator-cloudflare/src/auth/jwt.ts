/**
 * JSON Web Tokens: of an identity provider, or of Cloudflare Access.
 *
 * Owns: where the token stands, and what a principal is made of. `jose` verifies.
 */
import { HoldfastError } from "@holdfast/protocol";
import { type JWTPayload, type JWTVerifyGetKey, createRemoteJWKSet, errors, jwtVerify } from "jose";
import { ApiRefusal } from "../refusal.ts";
import { type Principal, SCOPES, type Scope, type VerifyRequest } from "./principal.ts";

export interface JwtAuthOptions {
  /** Where the issuer publishes its keys, or the keys themselves (`createLocalJWKSet` of jose). */
  readonly jwks: string | URL | JWTVerifyGetKey;
  readonly issuer: string;
  /** Whom the token must be for: without it, a token for any application of the issuer would do. */
  readonly audience: string | readonly string[];
  /** The header that holds the token. Default `Authorization`, as `Bearer …`. */
  readonly header?: string;
  /**
   * What a verified token may do. Default: its `sub`, and the scopes in `scope` that begin with `holdfast:`, as in
   * `"holdfast:read holdfast:deliver"`. `undefined` lets nobody in.
   */
  readonly principal?: (claims: JWTPayload) => Principal | undefined;
}

const PREFIX = "holdfast:";
/** Asymmetric ones only: a published key must never verify what anybody could have signed with it. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** @throws HoldfastError `INVALID_ARGUMENT` for options that would let in too many. */
export function jwtAuth(options: JwtAuthOptions): VerifyRequest {
  const { issuer, audience, header = "Authorization", principal = principalOf } = options;
  if (!issuer || !audience?.length) {
    throw new HoldfastError("INVALID_ARGUMENT", "jwtAuth: issuer and audience must be given.");
  }
  let keys: JWTVerifyGetKey | undefined = typeof options.jwks === "function" ? options.jwks : undefined;
  return async (request) => {
    const text = request.headers.get(header) ?? "";
    const token = header === "Authorization" ? /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(text)?.[1] : text;
    if (token === undefined || token === "") return false;
    keys ??= createRemoteJWKSet(new URL(String(options.jwks)));
    try {
      const claimed = {
        issuer,
        audience: typeof audience === "string" ? audience : [...audience],
        algorithms: ALGORITHMS,
      };
      const { payload } = await jwtVerify(token, keys, { ...claimed, requiredClaims: ["exp"] });
      return principal(payload) ?? refuse("its claims give no access here");
    } catch (error) {
      if (error instanceof errors.JOSEError && !isKeyTrouble(error)) return refuse(error.code);
      console.error("holdfast: the keys of the token issuer cannot be had", error);
      return new ApiRefusal(
        "auth_unavailable",
        "The keys that verify tokens cannot be had at the moment. Try again.",
      ).toResponse();
    }
  };
}

/**
 * Accepts a caller that Cloudflare Access has let through to this application.
 * @param team `<team>` of `https://<team>.cloudflareaccess.com`.
 * @param audience The application's AUD tag.
 */
export function cloudflareAccess(
  team: string,
  audience: string,
  scopes: readonly Scope[] | ((claims: JWTPayload) => readonly Scope[]) = SCOPES,
): VerifyRequest {
  const issuer = `https://${team}.cloudflareaccess.com`;
  return jwtAuth({
    jwks: `${issuer}/cdn-cgi/access/certs`,
    issuer,
    audience,
    header: "Cf-Access-Jwt-Assertion",
    principal: (claims) => {
      const subject = [claims["email"], claims["common_name"], claims.sub].find(
        (one) => typeof one === "string" && one !== "",
      );
      if (subject === undefined) return undefined;
      return { subject: subject as string, scopes: typeof scopes === "function" ? scopes(claims) : scopes };
    },
  });
}

function principalOf({ sub, scope }: JWTPayload): Principal | undefined {
  if (sub === undefined || sub === "") return undefined;
  const named = new Set(typeof scope === "string" ? scope.split(" ") : []);
  return { subject: sub, scopes: SCOPES.filter((one) => named.has(PREFIX + one)) };
}

function isKeyTrouble(error: Error): boolean {
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.name === "JOSEError";
}

function refuse(why: string): Response {
  return new ApiRefusal("unauthorized", `The token is refused: ${why}.`, undefined, {
    "WWW-Authenticate": "Bearer",
  }).toResponse();
}
