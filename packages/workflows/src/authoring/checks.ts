/**
 * Checks the arguments of `ctx` operations (RUN8, STEP7).
 */
import { invalid, nameProblem } from "@holdfast/protocol";
import { currentStep } from "../replay/step-scope.ts";
import { nestedOperationError } from "../replay/step-body.ts";

/**
 * `what` says in messages what the name is.
 * @throws HoldfastError `NESTED_OPERATION` inside a step body, `INVALID_ARGUMENT` for an invalid name.
 */
export function checkName(name: unknown, where: string, what = "the name"): void {
  checkOutside(where);
  const problem = nameProblem(name);
  if (problem !== undefined) throw invalid(where, `${what} ${problem}.`);
}

/**
 * @throws HoldfastError `NESTED_OPERATION` inside a step body.
 */
export function checkOutside(where: string): void {
  const inside = currentStep();
  if (inside !== undefined) throw nestedOperationError(where, inside);
}
