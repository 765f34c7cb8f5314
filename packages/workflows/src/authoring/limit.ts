/**
 * `limit()`: a limit that workflows share by its name.
 *
 * Owns: the object that an author passes to `workflow({ limits })`. Nothing is checked here: the orchestrator checks the
 * declaration where a deployment registers workflows (FLOW1).
 */
import type { DeclaredLimit, LimitOptions } from "@holdfast/protocol";

export interface Limit<Input = never> extends DeclaredLimit<Input> {
  /** The same limit, for runs that hold it from start to end (`run`), or only while they execute (`active`, the default). */
  hold(mode: "run" | "active"): DeclaredLimit<Input>;
}

/** Defines a limit: how many runs hold it at most (`max`), how many start in a time (`rate`), or both. */
export function limit<Input = unknown>(name: string, options: LimitOptions<Input>): Limit<Input> {
  return { ...options, name, hold: (mode) => ({ ...options, name, mode }) };
}
