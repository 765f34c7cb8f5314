/**
 * The state of a topic in memory.
 *
 * Owns: what is in memory beside the header: the numbers of the stored events by their ids.
 */
import type { CoordinatorDraft, CoordinatorState } from "../host/coordinator.ts";
import type { StoreReader, WriteBatch } from "../host/store.ts";
import { EVENT_PREFIX, type TopicHeader, eventKey, isEventRow } from "./rows.ts";

export interface TopicState extends CoordinatorState<TopicHeader> {
  /** The numbers of events by their ids (TP1). */
  readonly ids: Map<string, number>;
}

export type TopicDraft = CoordinatorDraft<TopicState>;

export function loadTopic(store: StoreReader, header: TopicHeader | undefined): TopicState {
  const ids = new Map<string, number>();
  for (const [, row] of store.list(EVENT_PREFIX)) if (isEventRow(row)) ids.set(row.id, row.n);
  return { header, store, ids };
}

/** Follows a committed batch. */
export function applyToTopic({ ids }: TopicState, { puts, deletes }: WriteBatch): void {
  const gone = new Set([...deletes].filter((key) => key.startsWith(EVENT_PREFIX)));
  // The oldest ids are first, and the oldest rows are deleted.
  for (const [id, n] of ids) {
    if (gone.size === 0) break;
    if (gone.delete(eventKey(n))) ids.delete(id);
  }
  for (const [key, row] of puts) if (key.startsWith(EVENT_PREFIX) && isEventRow(row)) ids.set(row.id, row.n);
}
