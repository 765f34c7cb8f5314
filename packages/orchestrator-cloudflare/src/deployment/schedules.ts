/**
 * The schedules of a deployer's options (SCH9).
 *
 * Owns: the check of the list when the Worker is loaded. The orchestrator checks each declaration.
 */
import { type ScheduleConfig, readDeclaration } from "@holdfast/orchestrator";
import { type DeclaredSchedule, HOST_LIMITS, HoldfastError, type WorkflowDefinition } from "@holdfast/protocol";

/** @throws HoldfastError `INVALID_ARGUMENT` naming the schedule and the field. */
export function readSchedules(
  schedules: readonly DeclaredSchedule[] | undefined,
  workflows: readonly WorkflowDefinition[] | undefined,
): readonly ScheduleConfig[] | undefined {
  if (schedules === undefined) return undefined;
  if (!Array.isArray(schedules) || schedules.length > HOST_LIMITS.schedules) {
    throw invalid(`must be a list of at most ${HOST_LIMITS.schedules} schedules.`);
  }
  const served = workflows && new Set(workflows.map(({ id }) => id));
  const ids = new Set<string>();
  return schedules.map((one: unknown) => {
    const config = readDeclaration(one, "schedule");
    const name = JSON.stringify(config.id);
    if (ids.has(config.id)) throw invalid(`${name} is declared twice. Give one of them another id.`);
    ids.add(config.id);
    if (served !== undefined && !served.has(config.workflowId)) {
      throw invalid(
        `${name} starts the workflow ${JSON.stringify(config.workflowId)}, which is not in the list of workflows. Add it.`,
      );
    }
    return config;
  });
}

function invalid(problem: string): HoldfastError {
  return new HoldfastError("INVALID_ARGUMENT", `holdfast.schedules: ${problem}`);
}
