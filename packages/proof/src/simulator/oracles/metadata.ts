/**
 * Oracle on the metadata of a run (META1).
 */
import { decodeValue } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

/** Each change of metadata is applied once (META1). */
export function checkMetadata({ host: { journal, header } }: ObservedRun): string[] {
  const changes = journal.filter((entry) => entry.type === "metadata.changed").length;
  const count = header.metadata.find(([key]) => key === "count")?.[1];
  const counted = count === undefined ? 0 : decodeValue(count);
  return counted === changes ? [] : [`counts ${String(counted)} for ${changes} changes`];
}
