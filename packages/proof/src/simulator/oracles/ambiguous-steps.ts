/**
 * Steps of a resumed run whose results may be swapped.
 */
import type { Program } from "../program.ts";

/** Whether steps with the same name in parallel branches may be swapped, because a resumed run executes some of them again. */
export function hasAmbiguousSteps(program: Program, resumed: boolean): boolean {
  return resumed && countSteps(program, "same") > 1;
}

function countSteps(program: Program, name: string): number {
  if (program.kind === "step") return program.name === name ? 1 : 0;
  return "parts" in program ? program.parts.reduce((sum, part) => sum + countSteps(part, name), 0) : 0;
}
