/**
 * Assertions: conditions that the code relies on and that types cannot express.
 */

/** @throws Error if the condition is false: a defect of Holdfast, never of the caller. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`assertion: ${message}`);
}
