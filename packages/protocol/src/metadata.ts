/**
 * The metadata of a run: small durable facts that can be read while it executes (META1).
 *
 * Owns: what a change does, and the bound on the whole. Both sides apply the same changes in the same order: the
 * execution to refuse what is too large where it is asked for, the orchestrator to store it.
 */
import { LIMITS } from "./limits.ts";
import type { MetadataChange } from "./journal.ts";
import { type EncodedValue, decodeValue, encodeValue } from "./values.ts";

/** Keys and encoded values, in the order in which the keys came. */
export type Metadata = readonly (readonly [key: string, value: EncodedValue])[];

/** The metadata after a change. An increment of what is no number starts from 0; an append to what is no list makes one. */
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
  const value = before === undefined ? undefined : decodeValue(before);
  if (change.type === "increment") return encodeValue((typeof value === "number" ? value : 0) + change.by, "metadata");
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return encodeValue([...list, decodeValue(change.value)], "metadata");
}

/** Whether the metadata is within its bound (LIM1). */
export function metadataFits(metadata: Metadata): boolean {
  return metadata.reduce((chars, [key, value]) => chars + key.length + value.length, 0) <= LIMITS.metadataChars;
}
