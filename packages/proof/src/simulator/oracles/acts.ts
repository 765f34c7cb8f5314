/**
 * Oracle on acts with a key, whose answers may have been lost (API10).
 */
import type { RunRows } from "@holdfast/orchestrator";
import type { ObservedRun } from "./observed-run.ts";

/** Each act has its effect once, and none is refused that has had it. */
export function checkActs({ host, acts }: ObservedRun): string[] {
  const keys = [...host.store.list("audit/")].flatMap(([, row]) => (row as RunRows["audit/"]).requestKey ?? []);
  const twice = keys.filter((key, place) => keys.indexOf(key) !== place);
  const refused = acts.filter((act) => act.refused && keys.includes(act.key));
  return [
    ...twice.map((key) => `the act ${key} is recorded twice`),
    ...refused.map(({ key }) => `the act ${key} was refused, but it had its effect`),
  ];
}
