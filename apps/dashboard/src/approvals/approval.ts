/**
 * An open ask, as the list and the page of a run show it.
 *
 * Owns: which two are the same one, and their order: the earliest deadline first, then those without one, the oldest first.
 */
import type { Approval, Ask, RunOverview } from "@holdfast/workflows/client";

/** As in the list; the record of a run does not have `openedAt`. */
export type OpenAsk = Omit<Approval, "openedAt"> & { readonly openedAt?: number | undefined };

export function keyOf({ runId, op, openedAt }: Pick<OpenAsk, "runId" | "op" | "openedAt">): string {
  return JSON.stringify([runId, op, openedAt]);
}

export function compareAsks(a: OpenAsk, b: OpenAsk): number {
  const byDeadline = (a.until ?? Infinity) - (b.until ?? Infinity);
  if (byDeadline !== 0 && !Number.isNaN(byDeadline)) return byDeadline;
  return (a.openedAt ?? 0) - (b.openedAt ?? 0) || compareText(a.runId, b.runId) || compareText(a.op, b.op);
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** The open asks in the record of a run, in the order of their deadlines. */
export function asksOf({ id, workflowId, pendingWaitpoints }: RunOverview): readonly OpenAsk[] {
  return pendingWaitpoints
    .flatMap(({ id: op, meta, wakeAt }): OpenAsk[] => {
      const { ask, tokenId } = meta as { readonly ask?: Ask; readonly tokenId?: string };
      if (ask === undefined) return [];
      return [{ ...ask, runId: id, workflowId, op, tokenId, assignees: ask.assignees ?? [], until: wakeAt }];
    })
    .toSorted(compareAsks);
}
