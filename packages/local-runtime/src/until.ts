/**
 * Conditions of the demo and the crash test: they must hold now, or within a time limit.
 *
 * Owns: the error for a condition that does not hold. Its message states the condition.
 */
import { setTimeout as delay } from "node:timers/promises";

export class ConditionNotMet extends Error {}

/** @throws ConditionNotMet unless `holds`. */
export function ensure(holds: boolean, whatIsWrong: string): void {
  if (!holds) throw new ConditionNotMet(whatIsWrong);
}

/**
 * Polls until the condition holds.
 *
 * @throws ConditionNotMet after `boundMs`. The message contains `what`.
 */
export async function until(
  what: string,
  boundMs: number,
  condition: () => boolean | Promise<boolean>,
  everyMs = 10,
): Promise<void> {
  const end = Date.now() + boundMs;
  while (!(await condition())) {
    ensure(Date.now() <= end, `This did not happen within ${boundMs / 1_000} s: ${what}.`);
    await delay(everyMs);
  }
}
