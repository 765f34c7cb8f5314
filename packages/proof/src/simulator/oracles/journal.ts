/**
 * Oracle on the journal of a run, without its program.
 */
import type { ObservedRun } from "./observed-run.ts";

/** Entries are numbered without gaps, times do not decrease, and an operation has one outcome. */
export function checkJournal({ host: { journal } }: ObservedRun): string[] {
  const outcomes = new Set<string>();
  return journal.flatMap((entry, place) => {
    const found: string[] = [];
    if (entry.seq !== place + 1) found.push(`entry ${place + 1} has number ${entry.seq}`);
    if (entry.at < (journal[place - 1]?.at ?? 0)) found.push(`entry ${entry.seq} is older than the one before`);
    if (/^step\.(completed|failed)|^wait\.(resolved|timed_out|released)|^child\.ended/.test(entry.type)) {
      if (outcomes.has(entry.op)) found.push(`${entry.op} has two outcomes`);
      outcomes.add(entry.op);
    }
    if (entry.op.includes("/changed "))
      found.push(`entry ${entry.seq} was written by code that does not fit the journal`);
    return found;
  });
}
