/**
 * Who calls the API, and what they may do (SEC1, SEC2, SEC5).
 *
 * Owns: the verifier type, principals, scopes, and putting several verifiers together.
 */
import { idProblem } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";

/**
 * `read`: everything that changes nothing. `trigger`: start and resume runs. `deliver`: events, signals and tokens.
 * `operate`: cancel, pause, retry, delete. `admin`: say where a run belongs and comes from (`tenantMeta`, `environment`,
 * `triggeredByUserId`), and rebuild the index.
 */
export const SCOPES = ["read", "trigger", "deliver", "operate", "admin"] as const;

export type Scope = (typeof SCOPES)[number];

export interface Principal {
  /** Recorded with everything that it does. */
  readonly subject: string;
  /** It sees and touches this tenant's runs only. Without it: the runs of no tenant. */
  readonly tenantId?: string | undefined;
  readonly scopes: readonly Scope[];
  /** What its runs carry to dispatchers and workflow code; it cannot be chosen by the caller. */
  readonly tenantMeta?: Readonly<Record<string, unknown>> | undefined;
}

/** `true` lets the request in with every scope, a principal with its own; `false` answers 401; a response is the answer. */
export type VerifyResult = boolean | Response | Principal;

export type VerifyRequest = (request: Request) => VerifyResult | Promise<VerifyResult>;

const ANYBODY: Principal = { subject: "api", scopes: SCOPES };

/** A caller that has shown no credentials and needs none. */
export const NOBODY: Principal = { subject: "nobody", scopes: [] };

/** Accepts what one of the verifiers accepts: the first that does not answer `false` decides. */
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
 * @throws ApiRefusal `unauthorized`, or `internal_error` for a principal that cannot be one.
 */
export async function authenticate(request: Request, verify: VerifyRequest | undefined): Promise<Principal | Response> {
  const result = await (verify?.(request) ?? true);
  if (result instanceof Response) return result;
  if (result === true) return ANYBODY;
  if (result === false) {
    throw new ApiRefusal(
      "unauthorized",
      "Give valid credentials, for example: Authorization: Bearer <token>.",
      undefined,
      { "WWW-Authenticate": "Bearer" },
    );
  }
  const { tenantId, subject } = result;
  const problem = [subject, ...(tenantId === undefined ? [] : [tenantId])].map(idProblem).find(Boolean);
  if (problem === undefined) return result;
  console.error(`holdfast: verifyRequest gave a principal whose subject or tenantId ${problem}`);
  throw new ApiRefusal("internal_error", "This deployment's verifyRequest gave a principal that cannot be one.");
}

/** @throws ApiRefusal `forbidden` */
export function requireScope({ scopes }: Principal, scope: Scope, what: string): void {
  if (scopes.includes(scope)) return;
  throw new ApiRefusal(
    "forbidden",
    `${what} needs the scope "${scope}"; these credentials have ${scopes.length === 0 ? "none" : scopes.join(", ")}.`,
  );
}
