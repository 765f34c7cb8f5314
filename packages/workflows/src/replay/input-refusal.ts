/**
 * Tells the refusal of a run's input by its schema from every other error (RUN5, REP5).
 *
 * Owns: the mark. User code may throw errors of the same code, so the code alone does not tell.
 */
const refusals = new WeakSet<object>();

/** Marks an error as the schema's refusal of the run's input. */
export function markInputRefusal(error: Error): void {
  refusals.add(error);
}

/** Whether the schema of the workflow refused the run's input. */
export function isInputRefusal(error: unknown): boolean {
  return typeof error === "object" && error !== null && refusals.has(error);
}
