/**
 * `ctx.shielded`: clean-up code whose steps execute although the run was cancelled or its time is used up (CAN9).
 */
import { checkFields, invalid, parseDurationMs } from "@holdfast/protocol";
import * as LIMITS from "@holdfast/protocol/limits";
import type { Execution } from "../replay/execution.ts";
import { handled } from "../replay/handled.ts";
import { shieldedError } from "../replay/step-body.ts";
import { type Shield, currentShield, insideShield } from "../replay/step-scope.ts";
import { checkOutside } from "./checks.ts";
import type { ShieldedOptions, WorkflowContext } from "./types.ts";

/** `stepOf` creates the `ctx.step` of a call. */
export function createShielded(
  execution: Execution,
  stepOf: (shield: Shield) => WorkflowContext["step"],
): WorkflowContext["shielded"] {
  return (fn, options: ShieldedOptions = {}) => {
    const where = "ctx.shielded";
    checkOutside(where);
    checkFields(options, ["timeout"], where);
    if (currentShield() !== undefined) throw shieldedError(where);
    const { timeout = LIMITS.shieldedMs } = options;
    const timeoutMs = parseDurationMs(timeout, `${where}.timeout`);
    if (timeoutMs > LIMITS.shieldedMsMax) {
      throw invalid(`${where}.timeout`, "must be at most one hour.");
    }
    return handled(
      execution.shields.run(timeoutMs, (shield) => insideShield(execution, shield, () => fn({ step: stepOf(shield) }))),
    );
  };
}
