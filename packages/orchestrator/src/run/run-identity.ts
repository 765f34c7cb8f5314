/**
 * What a run is, from its first moment on: what the caller, the workflow's definition or the parent says about it.
 *
 * Owns: the list of these attributes (RUN3). The header, the trigger, the messages that start children, the plan of a
 * resume and the rows of the index take them from here, so an attribute is added in one place.
 *
 * Invariants
 * - ID1 None of them changes after the run was created. The header stores them under these names, beside its own fields.
 */

export interface RunIdentity {
  readonly id: string;
  /** The tenant that owns the run, where callers have tenants: the name of its object holds it too (SEC2). */
  readonly tenantId?: string | undefined;
  readonly workflowId: string;
  readonly workflowVersion?: string | undefined;
  readonly tags: readonly string[];
  readonly environment: string;
  /** Encoded. */
  readonly tenantMeta?: string | undefined;
  readonly triggeredBy: string;
  readonly idempotencyKey?: string | undefined;
  /** Where the API answers, as the caller reached it: the start of token URLs (WAIT7). */
  readonly baseUrl?: string | undefined;
  /** The trace that the trigger belongs to: W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /** The time budget, in ms from the start (RUN6). */
  readonly timeoutMs?: number | undefined;
}
