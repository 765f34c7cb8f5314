/**
 * The plan of a resume in a scenario.
 *
 * Owns: the choice of the step from which the new run executes.
 */
import { planResume } from "@holdfast/orchestrator";
import type { MemoryHost } from "@holdfast/workflows/testing";

/**
 * Plans a resume from the step at this position in the journal, or from the step whose failure ended the run. Returns
 * `undefined` if the journal has no step.
 */
export function planAt({ header, journal }: MemoryHost, place: number): ReturnType<typeof planResume> | undefined {
  const steps = journal.filter((entry) => entry.op.startsWith("step/")).map((entry) => entry.op);
  const step = /^step\/(\d+)\/(.*)$/s.exec(steps[place % steps.length] ?? "");
  if (step === null) return undefined;
  const [, occurrence = "0", name = ""] = step;
  const failed = place % 2 === 0 && header.error?.step !== undefined;
  return planResume(header, journal, {
    resumeFromStep: failed ? undefined : { name, occurrence: Number(occurrence) },
    seedResults: [],
  });
}
