/**
 * Deliberate bugs of storage: rows and alarms that are lost or changed after a commit.
 *
 * Owns: the bugs that need only the store.
 */
import type { RunHeader, RunRows, WriteBatch } from "@holdfast/orchestrator";
import type { MemoryStore } from "@holdfast/workflows/testing";
import type { Bug } from "./types.ts";

export type RowBug =
  | "lose the alarm"
  | "swallow the alarm"
  | "lose the flags"
  | "reorder deliveries"
  | "forget buffered deliveries on replay"
  | "forget delivery ids on replay"
  | "forget the deaths"
  | "lose an outcome"
  | "drop a message"
  | "apply metadata twice"
  | "swap inherited results"
  | "begin executions before their epoch is durable";

export const ROW_BUGS: Readonly<Record<RowBug, Bug>> = {
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
      const { flags, ...rest } = headerOf(store);
      if (flags !== undefined && rest.epoch > 1) store.overwrite("record", rest);
    },
  },
  "reorder deliveries": {
    stored: (store, batch) => {
      if (!hasRow(batch, "inbox/")) return;
      const [first, second] = [...store.list("inbox/", { reverse: true, limit: 2 })];
      if (first === undefined || second === undefined) return;
      store.overwrite(first[0], second[1] as object);
      store.overwrite(second[0], first[1] as object);
    },
  },
  "forget buffered deliveries on replay": {
    stored: (store, batch) => {
      if (startsAnother(batch)) eraseAll(store, "inbox/");
    },
  },
  "forget delivery ids on replay": {
    stored: (store, batch) => {
      if (startsAnother(batch)) eraseAll(store, "delivered/");
    },
  },
  "forget the deaths": {
    stored: (store, { puts }) => {
      const { crashes, ...rest } = headerOf(store);
      if (crashes !== undefined && puts.has("record")) store.overwrite("record", rest);
    },
  },
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
  "swap inherited results": {
    stored: (store) => {
      const row = store.get("inherited") as RunRows["inherited"] | undefined;
      if (row?.lineage === undefined) return;
      const { lineage, outcomes, ...rest } = row;
      store.overwrite("inherited", { ...rest, outcomes: [...outcomes, ...lineage.outcomes.map(({ body }) => body)] });
    },
  },
  "begin executions before their epoch is durable": {
    prepare: (store) => {
      store.sync = (done) => done();
    },
  },
};

function headerOf(store: MemoryStore): RunHeader {
  return store.get("record") as RunHeader;
}

function hasRow({ puts }: WriteBatch, prefix: string): boolean {
  return [...puts.keys()].some((key) => key.startsWith(prefix));
}

/** Whether the commit starts an execution that replays. */
function startsAnother({ puts }: WriteBatch): boolean {
  const record: { readonly epoch?: number } | undefined = puts.get("record");
  return (record?.epoch ?? 0) > 1;
}

function eraseAll(store: MemoryStore, prefix: string): void {
  for (const [key] of store.list(prefix)) store.erase(key);
}
