/**
 * The tenant, environment and origin of a run (SEC5).
 *
 * Owns: the attributes that the principal and the server set, and the scope that a caller needs to override them.
 */
import type { RunIdentity } from "@holdfast/orchestrator";
import { type Principal, requireScope } from "../../auth/principal.ts";
import { ApiRefusal } from "../../refusal.ts";
import { encodeGiven } from "../../request-body.ts";
import type { Call } from "./route.ts";
import { type WorkerDeps, environmentOf, limitsOf } from "./worker-deps.ts";

type Provenance = Pick<RunIdentity, "tenantId" | "tenantMeta" | "environment" | "triggeredBy" | "subject" | "baseUrl">;

/** The fields of a body that override values of the principal and the server. */
export interface Claims {
  readonly tenantMeta?: Readonly<Record<string, unknown>> | undefined;
  readonly environment?: string | undefined;
  readonly triggeredByUserId?: string | undefined;
}

/** What a resumed run has from its parent unless the caller or the principal decides. Encoded. */
export type Inherited = Pick<RunIdentity, "tenantMeta" | "environment">;

const CLAIMS = ["tenantMeta", "environment", "triggeredByUserId"] as const satisfies (keyof Claims)[];

/**
 * @throws ApiRefusal `forbidden` for a claim without the scope `admin`, `invalid_body` for a `tenantMeta` that cannot be
 * stored.
 */
export function provenanceOf({ deps, principal }: Call, claims: Claims, parent: Inherited | undefined): Provenance {
  requireClaims(principal, claims);
  return {
    tenantId: principal.tenantId,
    tenantMeta: encodeTenantMeta(claims.tenantMeta ?? principal.tenantMeta, deps) ?? parent?.tenantMeta,
    environment: claims.environment ?? parent?.environment ?? environmentOf(deps),
    triggeredBy: claims.triggeredByUserId ?? principal.subject,
    subject: claims.triggeredByUserId === undefined ? undefined : principal.subject,
    baseUrl: deps.publicUrl?.replace(/\/+$/, ""),
  };
}

/** @throws ApiRefusal `forbidden` for a claim without the scope `admin`. */
export function requireClaims(principal: Principal, claims: Claims): void {
  for (const field of CLAIMS) {
    if (claims[field] !== undefined) requireScope(principal, "admin", `The field ${field}`);
  }
}

function encodeTenantMeta(tenantMeta: Claims["tenantMeta"], deps: WorkerDeps): string | undefined {
  if (tenantMeta === undefined) return undefined;
  const encoded = encodeGiven(tenantMeta, "tenantMeta");
  const max = limitsOf(deps).tenantMetaChars;
  if (encoded.length <= max) return encoded;
  throw new ApiRefusal("invalid_body", `tenantMeta has ${encoded.length} characters; the limit is ${max}.`);
}
