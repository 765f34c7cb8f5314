/**
 * The workflows of a deployment with the numbers of their runs.
 *
 * Owns: joining what is served with what the index counts. A workflow that is no longer served, and has runs, is listed too.
 */
import type { CountsAnswer, RunStatus, WorkflowInfo } from "@holdfast/workflows/client";
import { OTHERS } from "../runs/count-sums.ts";

export interface WorkflowRow {
  readonly id: string;
  /** Its versions. Empty: this deployment does not serve it. */
  readonly served: readonly WorkflowInfo[];
  /** By status; `undefined`: they are not counted. */
  readonly runs: Readonly<Partial<Record<RunStatus, number>>> | undefined;
}

export function workflowRows(
  workflows: readonly WorkflowInfo[],
  counts: CountsAnswer | undefined,
): readonly WorkflowRow[] {
  const served = Map.groupBy(workflows, ({ id }) => id);
  const counted = new Map(counts?.workflows.map(({ workflowId, runs }) => [workflowId, runs]));
  // With more workflows than are counted, a missing number is not zero.
  const isWhole = counts !== undefined && !counted.has(OTHERS);
  const left = [...counted.keys()].filter((id) => !served.has(id) && id !== OTHERS);
  return [...served.keys(), ...left].map((id) => ({
    id,
    served: served.get(id) ?? [],
    runs: counted.get(id) ?? (isWhole ? {} : undefined),
  }));
}
