/**
 * One process of `pnpm simulate`: simulates the seeds that its parent sends, until the parent disconnects.
 */
import type { BugName } from "./bugs.ts";
import type { SeedBatch } from "./seed-pool.ts";
import { simulate } from "./simulate.ts";

interface Question {
  readonly from: number;
  readonly count: number;
  readonly bug?: BugName;
}

process.on("message", (question: Question) => void answer(question));

async function answer({ from, count, bug }: Question): Promise<void> {
  const failed: SeedBatch["failed"][number][] = [];
  const counts = new Map<string, number>();
  const longest = new Map<string, number>();
  for (let seed = from; seed < from + count; seed++) {
    const { findings, counts: exercised, longest: found } = await simulate(seed, bug, { leavesRejections: true });
    if (findings.length > 0) failed.push({ seed, findings: findings.slice(0, 10) });
    for (const [what, times] of exercised) counts.set(what, (counts.get(what) ?? 0) + times);
    for (const [kind, ms] of found) longest.set(kind, Math.max(longest.get(kind) ?? 0, ms));
  }
  process.send?.({ failed, counts: [...counts], longest: [...longest] } satisfies SeedBatch);
}
