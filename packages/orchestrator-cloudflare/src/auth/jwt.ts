/**
 * JSON Web Tokens of an identity provider or of Cloudflare Access.
 *
 * Owns: the location of the token, what a failure answers, and the mapping of claims to a principal. `jose` verifies the
 * token.
 */
import { type Duration, HoldfastError, parseDurationMs } from "@holdfast/protocol";
import { type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, errors, jwtVerify } from "jose";
import * as v from "valibot";
import { FIELDS, checkOptions, isDuration, isFunction } from "../options.ts";
import { ApiRefusal } from "../refusal.ts";
import { isScopes, subjectProblem } from "./credentials.ts";
import { KeysUnavailable, keysOf } from "./issuer-keys.ts";
import { type Principal, SCOPES, type Scope, type VerifyRequest } from "./principal.ts";

export interface JwtAuthOptions {
  /** The URL where the issuer publishes its keys, or the keys themselves (`createLocalJWKSet` of jose). */
  readonly jwks: string | URL | JWTVerifyGetKey;
  readonly issuer: string;
  /** The required audience. Without it, a token for any application of the issuer would be accepted. */
  readonly audience: string | readonly string[];
  /**
   * How far the clocks of the issuer and of this deployment may differ, for `exp` and `nbf`: ms, or a duration such as
   * `"30s"`. At most five minutes. Default 0.
   */
  readonly clockTolerance?: Duration | undefined;
  /** The header that contains the token. Default `Authorization`, as `Bearer …`. */
  readonly header?: string | undefined;
  /**
   * Maps the claims of a verified token to a principal; `undefined` rejects the request. Default: the subject is `sub`,
   * and the scopes are those in `scope` that start with `holdfast:`, as in `"holdfast:read holdfast:deliver"`.
   */
  readonly principal?: (claims: JWTPayload) => Principal | undefined | Promise<Principal | undefined>;
}

const PREFIX = "holdfast:";
/** Asymmetric algorithms only: with a symmetric one, any reader of the published key could sign tokens. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

const TOLERANCE_MS_MAX = 300_000;

function isTolerance(value: unknown): boolean {
  return isDuration(value) && parseDurationMs(value, "") <= TOLERANCE_MS_MAX;
}

const text = v.custom<string>((value) => typeof value === "string" && value !== "", "must be a non-empty text");

const OPTIONS = v.strictObject({
  jwks: v.custom<JwtAuthOptions["jwks"]>(
    (value) => typeof value === "function" || v.is(FIELDS.httpUrl, value instanceof URL ? value.href : value),
    "must be the http or https URL of the issuer's keys, or a function of jose that returns them",
  ),
  issuer: text,
  audience: v.union(
    [text, v.pipe(v.array(text), v.minLength(1))],
    "must be a non-empty text, or a non-empty list of them: the audience of this application",
  ),
  clockTolerance: v.optional(
    v.custom<Duration>(
      isTolerance,
      'must be a duration of at most five minutes, such as "30s" or a number of milliseconds',
    ),
  ),
  header: v.optional(text),
  principal: v.optional(isFunction),
} satisfies Record<keyof JwtAuthOptions, v.GenericSchema>);

/** @throws HoldfastError `INVALID_ARGUMENT` for invalid options (RUN7). */
export function jwtAuth(options: JwtAuthOptions): VerifyRequest {
  checkOptions(OPTIONS, options, "jwtAuth");
  const { issuer, audience, header = "Authorization", principal = principalOf } = options;
  const toleranceMs = parseDurationMs(options.clockTolerance ?? 0, "jwtAuth.clockTolerance");
  return async (request) => {
    const value = request.headers.get(header) ?? "";
    const token = /^authorization$/i.test(header) ? /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(value)?.[1] : value;
    if (token === undefined || token === "") return false;
    const keys: Keys =
      typeof options.jwks === "function" ? { find: options.jwks } : keysOf(issuer, String(options.jwks));
    const claims = await claimsOf(token, keys, {
      issuer,
      audience: typeof audience === "string" ? audience : [...audience],
      clockTolerance: toleranceMs / 1_000,
    });
    if (claims instanceof Response) return claims;
    // The deployer's function: an error of it is read by `authenticate`, like every error of a verifier.
    const given: unknown = await principal(claims);
    return typeof given === "object" && given !== null
      ? (given as Principal)
      : refuse("its claims give no access to this API");
  };
}

/** The keys of an issuer. `complain`: a key that is published cannot be used. */
interface Keys {
  readonly find: JWTVerifyGetKey;
  readonly complain?: (error: unknown) => void;
}

/** Returns the claims of a valid token, or the answer to an invalid one. */
async function claimsOf(
  token: string,
  keys: Keys,
  expected: { readonly issuer: string; readonly audience: string | string[]; readonly clockTolerance: number },
): Promise<JWTPayload | Response> {
  try {
    return await verify(token, keys.find, { ...expected, algorithms: ALGORITHMS, requiredClaims: ["exp"] });
  } catch (error) {
    if (error instanceof errors.JOSEError && !isKeyFailure(error)) return refuse(error.code + claimIn(error));
    const isUnknown = error instanceof KeysUnavailable;
    if (!isUnknown && keys.complain !== undefined) {
      keys.complain(error);
      return refuse("the key of its issuer cannot be used");
    }
    if (!isUnknown) console.error("holdfast: the keys of the token issuer cannot be loaded", error);
    return new ApiRefusal(
      "auth_unavailable",
      "The keys that verify tokens cannot be loaded at the moment. Try again.",
    ).toResponse();
  }
}

/** Verifies a token with each key that fits: its issuer may name none, or give one name to two keys. */
async function verify(token: string, find: JWTVerifyGetKey, options: JWTVerifyOptions): Promise<JWTPayload> {
  try {
    return (await jwtVerify(token, find, options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      const payload = await jwtVerify(token, key, options).then(
        (verified) => verified.payload,
        (failure: unknown) => {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        },
      );
      if (payload !== undefined) return payload;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** The name of the claim that was refused, such as `nbf`. */
function claimIn(error: errors.JOSEError): string {
  return "claim" in error ? ` (${String(error.claim)})` : "";
}

/**
 * Accepts requests that Cloudflare Access has authenticated for this application.
 * @param team `<team>` of `https://<team>.cloudflareaccess.com`.
 * @param audience The application's AUD tag.
 * @throws HoldfastError `INVALID_ARGUMENT` for an invalid argument (RUN7).
 */
export function cloudflareAccess(
  team: string,
  audience: string,
  scopes: readonly Scope[] | ((claims: JWTPayload) => readonly Scope[]) = SCOPES,
): VerifyRequest {
  if (typeof team !== "string" || !/^[a-z0-9-]{1,63}$/i.test(team))
    refuseOption("team: must be the name of the team, without the domain");
  if (typeof scopes !== "function" && !v.is(isScopes, scopes)) refuseOption("scopes: must be a list of scopes");
  const issuer = `https://${team}.cloudflareaccess.com`;
  return jwtAuth({
    jwks: `${issuer}/cdn-cgi/access/certs`,
    issuer,
    audience,
    header: "Cf-Access-Jwt-Assertion",
    principal: (claims) => {
      const subject = [claims["email"], claims["common_name"], claims.sub].find(
        (one) => subjectProblem(one) === undefined,
      );
      if (subject === undefined) return undefined;
      return { subject: subject as string, scopes: typeof scopes === "function" ? scopes(claims) : scopes };
    },
  });
}

function refuseOption(problem: string): never {
  throw new HoldfastError("INVALID_ARGUMENT", `cloudflareAccess.${problem}.`);
}

function principalOf({ sub, scope }: JWTPayload): Principal | undefined {
  // An issuer may send any JSON value.
  if (subjectProblem(sub) !== undefined) return undefined;
  const named = new Set(typeof scope === "string" ? scope.split(" ") : []);
  return { subject: sub as string, scopes: SCOPES.filter((one) => named.has(PREFIX + one)) };
}

/**
 * True if the keys could not be loaded, or a key cannot be used. `createRemoteJWKSet` throws a plain `JOSEError` for an HTTP
 * error of the issuer.
 */
function isKeyFailure(error: Error): boolean {
  return error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error.name === "JOSEError";
}

function refuse(why: string): Response {
  return new ApiRefusal("unauthorized", `The token was rejected: ${why}.`, undefined, {
    "WWW-Authenticate": "Bearer",
  }).toResponse();
}
