/**
 * Distinguishes the schema's refusal of a run's input from every other error (RUN5, REP5).
 *
 * Owns: the mark on the error. User code may throw errors with the same code, so the code alone is not sufficient.
 */
const refusals = new WeakSet<object>();

/** Marks an error as the schema's refusal of the run's input. */
export function markInputRefusal(error: Error): void {
  refusals.add(error);
}

/** Returns whether the error is the schema's refusal of the run's input. */
export function isInputRefusal(error: unknown): boolean {
  return typeof error === "object" && error !== null && refusals.has(error);
}
