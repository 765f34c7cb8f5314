/**
 * `schedule()`: a schedule that code declares (SCH1).
 *
 * Owns: the types of a declaration. Nothing is checked here: `holdfast({ schedules })` checks it where it is registered.
 */
import type { DeclaredSchedule } from "@holdfast/protocol";
import type { Workflow } from "./workflow.ts";

/** `input` may be left out if the workflow's input may be `undefined`. */
export type ScheduleOptions<Input> = Omit<DeclaredSchedule, "workflow" | "input"> & {
  readonly workflow: Workflow<Input>;
} & (undefined extends Input ? { readonly input?: NoInfer<Input> | undefined } : { readonly input: NoInfer<Input> });

/** Declares a schedule: when runs of a workflow start. List it in `schedules` of `holdfast`. */
export function schedule<Input>(options: ScheduleOptions<Input>): DeclaredSchedule {
  return options;
}
