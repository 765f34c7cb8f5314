/**
 * What operators see of a gate, and what they change.
 *
 * Owns: the commands of the Worker, and the record of a limit in the API.
 */
import type { LimitHolder, LimitQueued, LimitRecord } from "@holdfast/protocol";
import { HOST_LIMITS, defined } from "@holdfast/protocol";
import type { CommandReply } from "../host/coordinator.ts";
import { list } from "./listing.ts";
import { Holders, type Draft, hasOnlyRate, maxOf, placesTaken } from "./holders.ts";
import { firstQueued, listQueue, removeQueued } from "./queue.ts";
import { type SyncCommand, sync } from "./revs.ts";
import { type HeldRow, QUEUE_PREFIX, isQueueRow } from "./rows.ts";

export type GateCommand =
  | { readonly type: "read" }
  | SyncCommand
  /** `max` replaces that of the code; `null`: that of the code applies again. */
  | { readonly type: "override"; readonly max: number | null; readonly by: string }
  | { readonly type: "pause"; readonly paused: boolean; readonly by: string }
  /** Takes a run from the queue, or takes its place: the run is cancelled. */
  | { readonly type: "kick"; readonly runId: string; readonly by: string };

export function command(draft: Draft, input: GateCommand): CommandReply {
  if (draft.isNew && !isNewSetting(input)) {
    const message = "Nothing holds or waits at this limit and key, and no setting was changed.";
    return { type: "refused", code: "not_found", message };
  }
  const holders = new Holders(draft);
  switch (input.type) {
    case "read":
      break;
    case "sync":
      return { type: "done", body: sync(holders, input) };
    case "override": {
      const { max, by } = input;
      if (max !== null && hasOnlyRate(draft)) return refuseMax(draft);
      draft.change({ override: max === null ? undefined : { max, by, at: draft.now } });
      set(holders);
      holders.grantNext();
      break;
    }
    case "pause": {
      const { by, paused } = input;
      draft.change({ paused: paused ? (draft.header.paused ?? { by, at: draft.now }) : undefined });
      set(holders);
      holders.grantNext();
      break;
    }
    case "kick":
      if (kick(holders, input.runId)) break;
      return {
        type: "refused",
        code: "not_found",
        message: `The run ${JSON.stringify(input.runId)} neither holds nor waits here. Nothing was changed.`,
      };
  }
  return { type: "done", body: describe(holders) };
}

/** Whether a command sets something. Where nobody uses the gate, one that takes a setting back may have a mistyped name. */
function isNewSetting(input: GateCommand): boolean {
  return input.type === "override" ? input.max !== null : input.type === "pause" && input.paused;
}

function refuseMax({ header: { limit } }: Draft): CommandReply {
  const message = `The limit ${JSON.stringify(limit)} has only a rate, so its runs give nothing back, and a max would stop them. Nothing was changed. Declare max in the code.`;
  return { type: "refused", code: "not_applicable", message };
}

function set(holders: Holders): void {
  list(holders.draft);
  holders.probeBy(holders.draft.now + HOST_LIMITS.probeMsMin);
}

function kick(holders: Holders, runId: string): boolean {
  const held = holders.all().filter(([, { hold }]) => hold.runId === runId);
  for (const [key, { hold }] of held) {
    holders.postDrop(hold, "kicked");
    holders.release(key);
  }
  const { draft } = holders;
  let found = held.length > 0;
  for (const [key, row] of draft.list(QUEUE_PREFIX)) {
    if (!isQueueRow(row) || row.hold.runId !== runId) continue;
    removeQueued(draft, key);
    holders.postDrop(row.hold, "kicked");
    found = true;
  }
  return found;
}

function describe(holders: Holders): LimitRecord {
  const { draft } = holders;
  const { limit, key, settings, override, paused, queued, tat } = draft.header;
  const rows = holders.all().map(([, row]) => row);
  const next = firstQueued(draft);
  return defined({
    name: limit,
    key,
    max: maxOf(draft) ?? null,
    declaredMax: settings.max ?? null,
    rate: settings.rate,
    maxQueued: settings.maxQueued,
    rev: settings.rev,
    override,
    paused,
    held: placesTaken(rows),
    holders: rows.slice(0, HOST_LIMITS.limitRows).map(describeHolder),
    queued,
    queue: [...listQueue(draft, HOST_LIMITS.limitRows)].map(({ hold, workflowId, since, place }): LimitQueued =>
      defined({ runId: hold.runId, workflowId, since, priority: place.priority, group: place.group }),
    ),
    next: next?.row.hold.runId,
    nextStartAt: settings.rate === undefined || tat === undefined || tat <= draft.now ? undefined : tat,
  });
}

function describeHolder(row: HeldRow): LimitHolder {
  const { hold, mode, workflowId, since, startAt, unreachableSince, replacedBy } = row;
  const state =
    row.released === true
      ? "released"
      : replacedBy !== undefined
        ? "replaced"
        : unreachableSince !== undefined
          ? "unreachable"
          : row.granting === true
            ? "granted"
            : "held";
  const under = row.under === undefined ? {} : { reentrant: true as const };
  return {
    ...defined({ runId: hold.runId, workflowId, mode, since, startAt, unreachableSince, replacedBy }),
    state,
    ...under,
  };
}
