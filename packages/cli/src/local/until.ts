/**
 * What the demo insists on: conditions that must hold, or come to hold within a bound.
 *
 * Owns: the one error that says what was not as promised. Nothing relies on how long something takes.
 */
import { setTimeout as delay } from "node:timers/promises";

export class ConditionNotMet extends Error {}

/** @throws ConditionNotMet unless `holds`. */
export function insist(holds: boolean, whatIsWrong: string): void {
  if (!holds) throw new ConditionNotMet(whatIsWrong);
}

/**
 * Asks again and again until the answer is yes.
 *
 * @throws ConditionNotMet after `boundMs`, naming `what` was to come.
 */
export async function until(
  what: string,
  boundMs: number,
  condition: () => boolean | Promise<boolean>,
  everyMs = 10,
): Promise<void> {
  const end = Date.now() + boundMs;
  while (!(await condition())) {
    insist(Date.now() <= end, `This did not happen within ${boundMs / 1_000} s: ${what}.`);
    await delay(everyMs);
  }
}
