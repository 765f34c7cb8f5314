/**
 * Assertions: what the code relies on and the types cannot say.
 */

/** @throws Error when the condition does not hold: a defect of Holdfast, never of the caller. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion: ${message}`);
}
