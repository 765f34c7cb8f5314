/**
 * What must hold when the soak is over, from what is on disk: in the runs, and in the recorder's log.
 */
import type { Caller } from "./caller.ts";
import type { Effect } from "./effects.ts";
import type { SoakRun } from "./runs.ts";

/** Clocks of processes on one machine, and workerd's, which stands still while code executes. */
const CLOCK_MS = 10;

export interface Verdict {
  readonly findings: readonly string[];
  readonly steps: number;
  readonly effects: number;
  /** Effects of operations that had one before: at least once, before it is durable. */
  readonly repeated: number;
}

export async function judge(caller: Caller, runs: readonly SoakRun[], effects: readonly Effect[]): Promise<Verdict> {
  const byKey = Map.groupBy(effects, ({ key }) => key);
  const findings = runs.flatMap(({ id, state, problems }) => [
    ...(state === "open" ? [`${id} is stuck: it did not end`] : []),
    ...problems.map((problem) => `${id}: ${problem}`),
  ]);
  let steps = 0;
  const ids = runs.filter(({ acts, state }) => acts && state === "ended").map(({ id }) => id);
  // The list grows while it is gone through: children are judged like their parents.
  for (const id of ids) {
    for (const entry of await caller.entries(id)) {
      if (entry.type === "child.started" && entry.runId !== undefined) ids.push(entry.runId);
      const { kind, occurrence, name } = entry.operation;
      if (entry.type !== "step.completed" || (kind !== "step" && kind !== "compensation")) continue;
      steps += 1;
      const seen = byKey.get(`${id}/${kind}/${occurrence}/${name}`) ?? [];
      if (seen.length === 0) findings.push(`${id}: ${kind} ${name} is said to be done, and nobody saw it`);
      const late = seen.filter(({ startedAt }) => startedAt > entry.at + CLOCK_MS);
      for (const { startedAt } of late)
        findings.push(`${id}: ${kind} ${name} began again ${startedAt - entry.at} ms after it was durable`);
    }
  }
  return { findings, steps, effects: effects.length, repeated: effects.length - byKey.size };
}
