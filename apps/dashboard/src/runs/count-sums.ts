/**
 * How many runs a filter selects, by status, as far as the index knows without reading the runs.
 *
 * Owns: which filters can be counted: none, and that of a workflow. Others have no numbers.
 */
import type { CountsAnswer, RunFilter, RunStatus } from "@holdfast/workflows/client";

/** The name under which the index counts the workflows with the fewest runs together. */
export const OTHERS = "other";

/** Returns the number of runs by status; `undefined`: it is not known for this filter. */
export function countsFor(
  answer: CountsAnswer | undefined,
  filter: RunFilter,
): Readonly<Partial<Record<RunStatus, number>>> | undefined {
  const { workflowId, status: _status, ...others } = filter;
  if (answer === undefined || Object.values(others).some((value) => value !== undefined)) return undefined;
  const sums: Partial<Record<RunStatus, number>> = {};
  const found = answer.workflows.filter((one) => workflowId === undefined || one.workflowId === workflowId);
  // It may be one of those that are counted together.
  if (workflowId !== undefined && found.length === 0 && answer.workflows.some((one) => one.workflowId === OTHERS))
    return undefined;
  for (const { runs } of found)
    for (const [status, count] of Object.entries(runs) as [RunStatus, number][])
      sums[status] = (sums[status] ?? 0) + count;
  return sums;
}

/** Returns how many runs the filter selects; `undefined`: it is not known. */
export function countFor(answer: CountsAnswer | undefined, filter: RunFilter): number | undefined {
  const known = countsFor(answer, filter);
  return known && (filter.status === undefined ? sumOf(known) : (known[filter.status] ?? 0));
}

export function sumOf(runs: Readonly<Partial<Record<RunStatus, number>>>): number {
  return Object.values(runs).reduce((sum, count) => sum + count, 0);
}
