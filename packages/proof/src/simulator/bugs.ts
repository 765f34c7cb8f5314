/**
 * Deliberate bugs: the simulator must find each of them.
 *
 * Owns: faults that the engine cannot tolerate. None changes the engine's code: a bug changes stored rows without the
 * engine, or the messages between the orchestrator and an execution.
 */
import type { WriteBatch } from "@holdfast/orchestrator";
import { type ExecutionStart, isOutcome } from "@holdfast/protocol";
import type { MemoryStore, Tampering } from "@holdfast/workflows/testing";

export type BugName =
  | "skip the fence"
  | "reorder deliveries"
  | "lose the alarm"
  | "swallow the alarm"
  | "lose the flags"
  | "reorder outcomes"
  | "lose an outcome"
  | "drop a message"
  | "apply metadata twice";

interface Bug extends Tampering {
  /** Changes the store after a commit. */
  readonly stored?: (store: MemoryStore, batch: WriteBatch) => void;
}

export const BUGS: Record<BugName, Bug> = {
  "lose the alarm": {
    stored: (store, batch) => {
      if (batch.puts.size > 2 && batch.alarm !== undefined && batch.alarm !== null) store.takeAlarm();
    },
  },
  "swallow the alarm": {
    stored: (store, { alarm }) => {
      if (alarm !== undefined) store.platformAlarm.set(alarm, store.clock());
    },
  },
  "lose the flags": {
    stored: (store) => {
      const header = store.get("record") as { readonly flags?: unknown; readonly epoch: number };
      const { flags, ...rest } = header;
      if (flags !== undefined && header.epoch > 1) store.overwrite("record", rest);
    },
  },
  "skip the fence": { zombieReport: (report, epoch) => ({ ...report, epoch }) },
  "reorder deliveries": {
    stored: (store, batch) => {
      if (![...batch.puts.keys()].some((key) => key.startsWith("inbox/"))) return;
      const [first, second] = [...store.list("inbox/", { reverse: true, limit: 2 })];
      if (first === undefined || second === undefined) return;
      store.overwrite(first[0], second[1] as object);
      store.overwrite(second[0], first[1] as object);
    },
  },
  "reorder outcomes": { start: (start) => ({ ...start, journal: swapOutcomes(start.journal) }) },
  "lose an outcome": {
    stored: (store, batch) => {
      const lost = [...batch.puts].filter(([, row]) => (row as { type?: string }).type === "step.completed");
      if (lost.length > 0 && batch.puts.size > 1) store.erase(lost[0]?.[0] ?? "");
    },
  },
  "drop a message": {
    stored: (store, batch) => {
      for (const key of batch.puts.keys()) if (key.startsWith("outbox/")) store.erase(key);
    },
  },
  "apply metadata twice": {
    stored: (store, batch) => {
      const record: { metadata?: [string, string][] } | undefined = batch.puts.get("record");
      const metadata = record?.metadata?.map(([key, value]) => [key, value === "[2]" ? "[3]" : value]);
      if (metadata !== undefined && metadata.length > 0) store.overwrite("record", { ...record, metadata });
    },
  },
};

/** Swaps the last two outcomes that are adjacent. */
function swapOutcomes(journal: ExecutionStart["journal"]): ExecutionStart["journal"] {
  const at = journal.findLastIndex(
    (entry, place) => place > 0 && isOutcome(entry) && isOutcome(journal[place - 1] ?? entry),
  );
  const [first, second] = [journal[at - 1], journal[at]];
  if (first === undefined || second === undefined) return journal;
  return journal.with(at - 1, { ...second, seq: first.seq }).with(at, { ...first, seq: second.seq });
}
