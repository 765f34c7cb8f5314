/**
 * The metadata of a run: small durable facts that can be read while it executes (META1).
 *
 * Owns: the effect of a change, and the limit on the whole. Both sides apply the same changes in the same order: the
 * orchestrator to store them, the execution to reject a change that exceeds the limit.
 */
import * as LIMITS from "./author-limits.ts";
import type { MetadataChange } from "./journal.ts";
import { type EncodedValue, decodeOrUnreadable, encodeValue } from "./values.ts";

/** Keys and encoded values. A changed key moves to the end. */
export type Metadata = readonly (readonly [key: string, value: EncodedValue])[];

/**
 * Returns the metadata after a change. An increment of a value that is not a number starts from 0. An append to a value
 * that is not a list makes a list of it.
 */
export function changeMetadata(metadata: Metadata, change: MetadataChange): Metadata {
  const others = metadata.filter(([key]) => key !== change.key);
  const before = metadata.find(([key]) => key === change.key)?.[1];
  if (change.type === "remove") return others;
  return [...others, [change.key, changedValue(before, change)]];
}

function changedValue(
  before: EncodedValue | undefined,
  change: Exclude<MetadataChange, { type: "remove" }>,
): EncodedValue {
  if (change.type === "set") return change.value;
  const value = before === undefined ? undefined : decodeOrUnreadable(before);
  if (change.type === "increment") return encodeValue((typeof value === "number" ? value : 0) + change.by, "metadata");
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return encodeValue([...list, decodeOrUnreadable(change.value)], "metadata");
}

/** Whether the metadata is within its limit (LIM1). */
export function metadataFits(metadata: Metadata): boolean {
  return metadata.reduce((chars, [key, value]) => chars + key.length + value.length, 0) <= LIMITS.metadataChars;
}
