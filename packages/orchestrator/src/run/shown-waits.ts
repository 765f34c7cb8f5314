/**
 * The open waits of a run as its record shows them.
 *
 * Owns: what identifies a wait of each kind. Patterns use the budget of the record.
 */
import { type JsonBudget, type Waitpoint, showValue } from "@holdfast/protocol";
import { topicParts } from "../topic/messages.ts";
import type { OpenWait } from "./state/run-header.ts";
import type { View } from "./state/view.ts";

export function describeWait(wait: OpenWait, view: View, budget: JsonBudget): Waitpoint {
  const { op, kind, openedAt, wakeAt } = wait;
  return {
    id: op,
    kind,
    meta: { ...waitMeta(wait, view, budget), openedAt },
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

/** Returns the event, signal, token or child for which a wait is open. */
function waitMeta(
  { kind, name, tokenId, runId, match, ask, topic }: OpenWait,
  view: View,
  budget: JsonBudget,
): Record<string, unknown> {
  const pattern = match === undefined ? {} : { match: showValue(match, budget) };
  switch (kind) {
    case "DATETIME":
      return {};
    case "EVENT":
      return { eventType: name, ...pattern, ...(topic === undefined ? {} : { key: topicParts(topic.name).key }) };
    case "SIGNAL":
      return { name, ...pattern };
    case "MANUAL":
      return { ...(view.tokenIds ? { tokenId } : {}), ...(ask === undefined ? {} : { ask }) };
    case "RUN":
      return { workflowId: name, runId };
  }
}
