/**
 * The run's metadata (META1).
 */
import { LIMITS, type OperationEvents, changeMetadata, metadataFits } from "@holdfast/protocol";
import { stopAtLimit } from "./cancel.ts";
import type { Draft } from "./draft/draft.ts";

/** Applies and journals one change. */
export function applyMetadata(draft: Draft, event: OperationEvents & { type: "metadata.changed" }): void {
  const { op, nth, change } = event;
  const metadata = changeMetadata(draft.header.metadata, change);
  if (!metadataFits(metadata))
    return stopAtLimit(draft, `The run's metadata takes more than ${LIMITS.metadataChars} characters`);
  draft.append({ type: "metadata.changed", op, change }, nth);
  draft.change({ metadata });
}
