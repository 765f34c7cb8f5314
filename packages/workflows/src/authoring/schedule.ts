/**
 * `schedule()`: a schedule that code declares (SCH1).
 *
 * Owns: the types of a declaration. Nothing is checked here: `holdfast({ schedules })` checks it where it is registered.
 */
import type { DeclaredSchedule } from "@holdfast/protocol";
import type { Workflow } from "./workflow.ts";

export interface ScheduleOptions<Input> extends Omit<DeclaredSchedule, "workflow" | "input"> {
  readonly workflow: Workflow<Input>;
  readonly input?: NoInfer<Input> | undefined;
}

/** Declares a schedule: when runs of a workflow start. List it in `schedules` of `holdfast`. */
export function schedule<Input>(options: ScheduleOptions<Input>): DeclaredSchedule {
  return options;
}
