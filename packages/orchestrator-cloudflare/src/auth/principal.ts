/**
 * Callers of the API and their permissions (SEC1, SEC2, SEC5).
 *
 * Owns: the verifier type, principals, scopes, closed verifiers, and combining several verifiers. `authenticate.ts` reads
 * their answers.
 */
import { HoldfastError } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";

/**
 * `read`: all requests that change nothing. `trigger`: start and resume runs. `deliver`: events, signals and tokens.
 * `operate`: cancel, pause, retry, delete. `admin`: set the origin of a run (`tenantMeta`, `environment`,
 * `triggeredByUserId`), rebuild the index, and without a tenant read the metrics of all.
 */
export const SCOPES = ["read", "trigger", "deliver", "operate", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

export interface Principal {
  /** The name that is recorded with each action of this principal. */
  readonly subject: string;
  /** The tenant whose runs this principal can access, and no others. `undefined`: only the runs without a tenant. */
  readonly tenantId?: string | undefined;
  readonly scopes: readonly Scope[];
  /** Data that its runs carry to dispatchers and workflow code. A request cannot override it. */
  readonly tenantMeta?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * `true` accepts the request with every scope; a principal accepts it with the principal's scopes; `false` answers 401; a
 * response with a status of at least 400 is sent as it is. Every other value, also `undefined`, answers 401 (SEC1).
 */
export type VerifyResult = boolean | Response | Principal;

/** A thrown response counts as returned; a thrown error answers 401. */
export type VerifyRequest = (request: Request) => VerifyResult | Promise<VerifyResult>;

/** The principal of requests that need no credentials. */
export const NOBODY: Principal = { subject: "nobody", scopes: [] };

const checked = new WeakSet<object>();

/** Marks a principal that a verifier of this package made from checked data, and that never changes. */
export function checkedPrincipal(principal: Principal): Principal {
  const made = Object.freeze({ ...principal, scopes: Object.freeze([...principal.scopes]) });
  checked.add(made);
  return made;
}

/** Whether the answer of a verifier is such a principal. */
export function isCheckedPrincipal(answer: unknown): answer is Principal {
  return typeof answer === "object" && answer !== null && checked.has(answer);
}

const closedVerifiers = new WeakSet<VerifyRequest>();

/** Returns a verifier that rejects every request with 503. `remedy`: how to configure authentication. */
export function closedVerifier(remedy: string): VerifyRequest {
  const message = `This deployment has no authentication configured, so it rejects every request. ${remedy}`;
  const verify: VerifyRequest = () => new ApiRefusal("auth_not_configured", message).toResponse();
  closedVerifiers.add(verify);
  return verify;
}

/** The closed verifier of a Worker of one's own. */
export const closed: VerifyRequest = closedVerifier(
  'Pass verifyRequest, for example bearerAuth(env.API_TOKENS), and set the secret that it reads. For local development, verifyRequest: "open" accepts every request.',
);

/** Whether a deployment with this verifier has no authentication. In plain workerd, a variable that is not set is null. */
export function isClosed(verify: VerifyRequest | "open" | null | undefined): boolean {
  return verify === undefined || verify === null || (verify !== "open" && closedVerifiers.has(verify));
}

/**
 * Combines verifiers: the first result that is not `false` decides. A verifier that is not configured passes on; if none
 * is configured, every request answers 503.
 * @throws HoldfastError `INVALID_ARGUMENT` for a value that is no verifier.
 */
export function anyOf(...verifiers: readonly (VerifyRequest | null | undefined)[]): VerifyRequest {
  const wrong = verifiers.findIndex((one) => typeof (one ?? closed) !== "function");
  if (wrong >= 0) {
    throw new HoldfastError("INVALID_ARGUMENT", `anyOf: argument ${wrong + 1} is no verifier, which is a function.`);
  }
  const configured = verifiers.filter((one): one is VerifyRequest => !isClosed(one));
  if (configured.length === 0) return closed;
  return async (request) => {
    for (const verify of configured) {
      const result = await verify(request);
      if (result !== false) return result;
    }
    return false;
  };
}

/** @throws ApiRefusal `forbidden` */
export function requireScope({ scopes }: Principal, scope: Scope, what: string): void {
  if (scopes.includes(scope)) return;
  throw new ApiRefusal(
    "forbidden",
    `${what} needs the scope "${scope}"; these credentials have ${scopes.length === 0 ? "none" : scopes.join(", ")}.`,
  );
}
