/**
 * The attributes of a run that the caller, the workflow's definition or the parent sets when the run is created.
 *
 * Owns: the list of these attributes (RUN3). The header, the trigger, the messages that start children, the plan of a
 * resume and the rows of the index use this list, so an attribute is added in one place.
 *
 * Invariants
 * - ID1 No attribute changes after the run was created. The header stores them under these names, beside its own fields.
 */
import type { ScheduledTick, StartingEvent } from "@holdfast/protocol";

export interface RunIdentity {
  readonly id: string;
  /** The tenant that owns the run, in deployments with tenants. The name of the run's object contains it, too (SEC2). */
  readonly tenantId?: string | undefined;
  readonly workflowId: string;
  readonly workflowVersion?: string | undefined;
  readonly tags: readonly string[];
  readonly environment: string;
  /** Encoded. */
  readonly tenantMeta?: string | undefined;
  readonly triggeredBy: string;
  /** The authenticated caller, if it said that another user triggers the run. */
  readonly subject?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** The URL of the API, as the caller used it. Token URLs start with it (WAIT7). */
  readonly baseUrl?: string | undefined;
  /** The trace of the trigger, as W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /** The tick of the schedule that started the run (SCH3). */
  readonly schedule?: ScheduledTick | undefined;
  /** The event that started the run (EVT3). */
  readonly event?: StartingEvent | undefined;
  /** The time budget, in ms from the start (RUN6). */
  readonly timeoutMs?: number | undefined;
}
