/**
 * The checks at the end of the soak test, on the stored runs and the recorder's log.
 */
import type { Caller } from "./caller.ts";
import { type Effect, PURE } from "./effects.ts";
import type { SoakRun } from "./runs.ts";

/** The tolerance between the clocks of the processes, ms. workerd's clock does not advance while code executes. */
const CLOCK_MS = 10;

export interface Verdict {
  readonly findings: readonly string[];
  readonly steps: number;
  readonly effects: number;
  /** Effects of operations that had an earlier effect. They are allowed until the outcome is durable. */
  readonly repeated: number;
  readonly deleted: number;
}

export async function judge(caller: Caller, runs: readonly SoakRun[], effects: readonly Effect[]): Promise<Verdict> {
  const byOperation = Map.groupBy(effects, ({ op }) => op);
  const byKey = Map.groupBy(effects, ({ op, key = op }) => key);
  const findings = runs.flatMap(({ id, state, problems }) => [
    ...(state === "open" ? [`${id} is stuck: it did not end`] : []),
    ...problems.map((problem) => `${id}: ${problem}`),
  ]);
  let steps = 0;
  const ids = runs.filter(({ acts, state }) => acts && state === "ended").map(({ id }) => id);
  for await (const [id, entries] of journalsOf(caller, ids)) {
    for (const entry of entries) {
      // Children are checked like their parents.
      if (entry.type === "child.started" && entry.runId !== undefined) ids.push(entry.runId);
      const { kind, occurrence, name } = entry.operation;
      if (entry.type !== "step.completed" || (kind !== "step" && kind !== "compensation")) continue;
      if (name.startsWith(PURE)) continue;
      steps += 1;
      const seen = byOperation.get(`${id}/${kind}/${occurrence}/${name}`) ?? [];
      if (seen.length === 0)
        findings.push(`${id}: ${kind} ${name} is completed in the journal, but has no recorded effect`);
      const late = seen.filter(({ startedAt }) => startedAt > entry.at + CLOCK_MS);
      for (const { startedAt } of late)
        findings.push(`${id}: ${kind} ${name} started again ${startedAt - entry.at} ms after it was durable`);
    }
  }
  findings.push(...otherWinners(effects), ...mixedKeys([...byOperation, ...byKey]));
  const deleted = runs.filter((run) => run.deleted);
  for (const { id } of deleted.slice(-READ_GONE_MAX))
    if (!(await caller.isGone(id))) findings.push(`${id}: was deleted, and exists again`);
  return {
    findings,
    deleted: deleted.length,
    steps,
    effects: effects.length,
    repeated: effects.length - byOperation.size,
  };
}

function mixedKeys(effects: readonly (readonly [key: string, seen: readonly Effect[]])[]): string[] {
  const mixed = effects.filter(([, seen]) => new Set(seen.map((one) => `${one.op} ${one.key}`)).size > 1);
  return mixed.map(([key]) => `${key}: operations and idempotency keys do not belong together`);
}

/** What a function has decided grows: of two effects of a run, one continues the other, whichever executions had them (REP2). */
function otherWinners(effects: readonly Effect[]): string[] {
  const byRun = Map.groupBy(effects, ({ op }) => op.slice(0, op.indexOf("/")));
  return [...byRun].flatMap(([run, seen]) => {
    const all = seen.map(({ decided = "" }) => decided);
    const longest = all.reduce((one, other) => (other.length > one.length ? other : one), "");
    const other = all.find((decided) => !longest.startsWith(decided));
    return other === undefined ? [] : [`${run}: executions saw other winners: ${other} and ${longest}`];
  });
}

/** The number of deleted runs that are read: the API refuses more requests about absent runs (`notFoundPerHour`). */
const READ_GONE_MAX = 500;

/** The number of journals that are read at a time. */
const READS = 16;

/** Reads the journals of the runs. The list may grow meanwhile. */
async function* journalsOf(
  caller: Caller,
  ids: readonly string[],
): AsyncGenerator<readonly [id: string, entries: Awaited<ReturnType<Caller["entries"]>>], void> {
  for (let next = 0; next < ids.length; next += READS) {
    const some = ids.slice(next, next + READS);
    yield* await Promise.all(some.map(async (id) => [id, await caller.entries(id)] as const));
  }
}
