/**
 * What the timeline reads: the parts of a run's record and of its journal entries that it draws.
 *
 * Owns: the shapes, as /api/runs/:id and /api/runs/:id/journal answer them, and reading fields whose types are not known.
 * Interface: the page passes the answers of the API; a file with an exported journal has the same shapes.
 */

export interface Operation {
  readonly kind: string;
  readonly occurrence: number;
  readonly name: string;
}

/** An entry of the journal. The other fields depend on `type`. Times are milliseconds since 1970. */
export interface Entry {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly operation: Operation;
  readonly [field: string]: unknown;
}

/** The state of a body as the record shows it: the journal has no entry about an attempt before it ends. */
export interface OpenWork {
  readonly status: string;
  readonly attempts: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly retryAt?: number | undefined;
}

interface StepOfRun extends OpenWork {
  readonly name: string;
  readonly occurrence: number;
  readonly progress?: unknown;
  readonly compensation?: OpenWork | undefined;
}

export interface Run {
  readonly id: string;
  readonly workflowId: string;
  readonly status: string;
  readonly createdAt: number;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  /** Outcomes that are older than the run are those of the run before. */
  readonly resumedFrom?: object | undefined;
  readonly steps?: readonly StepOfRun[] | undefined;
}

/** The id of an operation, as in `step/0/charge`. */
export function operationId({ kind, occurrence, name }: Operation): string {
  return `${kind}/${occurrence}/${name}`;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

export function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Returns a field of a value of any type. */
export function fieldOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, field) : undefined;
}
