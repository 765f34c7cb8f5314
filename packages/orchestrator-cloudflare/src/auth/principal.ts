/**
 * Callers of the API and their permissions (SEC1, SEC2, SEC5).
 *
 * Owns: the verifier type, principals, scopes, and combining several verifiers.
 */
import { idProblem } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";

/**
 * `read`: all requests that change nothing. `trigger`: start and resume runs. `deliver`: events, signals and tokens.
 * `operate`: cancel, pause, retry, delete. `admin`: set the origin of a run (`tenantMeta`, `environment`,
 * `triggeredByUserId`), and rebuild the index.
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
 * response is sent as it is.
 */
export type VerifyResult = boolean | Response | Principal;

export type VerifyRequest = (request: Request) => VerifyResult | Promise<VerifyResult>;

const ANYBODY: Principal = { subject: "api", scopes: SCOPES };

/** The principal of requests that need no credentials. */
export const NOBODY: Principal = { subject: "nobody", scopes: [] };

/** Combines verifiers: the first result that is not `false` decides. */
export function anyOf(...verifiers: readonly VerifyRequest[]): VerifyRequest {
  return async (request) => {
    for (const verify of verifiers) {
      const result = await verify(request);
      if (result !== false) return result;
    }
    return false;
  };
}

/**
 * Returns the principal of the request, or the response that `verify` sends.
 * @throws ApiRefusal `unauthorized`, or `internal_error` for a principal with an invalid subject or tenant.
 */
export async function authenticate(request: Request, verify: VerifyRequest | undefined): Promise<Principal | Response> {
  const result = await (verify?.(request) ?? true);
  if (result instanceof Response) return result;
  if (result === true) return ANYBODY;
  if (result === false) {
    throw new ApiRefusal(
      "unauthorized",
      "Send valid credentials, for example: Authorization: Bearer <token>.",
      undefined,
      { "WWW-Authenticate": "Bearer" },
    );
  }
  const { tenantId, subject } = result;
  const problem = [subject, ...(tenantId === undefined ? [] : [tenantId])].map(idProblem).find(Boolean);
  if (problem === undefined) return result;
  console.error(`holdfast: verifyRequest returned a principal whose subject or tenantId ${problem}`);
  throw new ApiRefusal("internal_error", "The verifyRequest of this deployment returned an invalid principal.");
}

/** @throws ApiRefusal `forbidden` */
export function requireScope({ scopes }: Principal, scope: Scope, what: string): void {
  if (scopes.includes(scope)) return;
  throw new ApiRefusal(
    "forbidden",
    `${what} needs the scope "${scope}"; these credentials have ${scopes.length === 0 ? "none" : scopes.join(", ")}.`,
  );
}
