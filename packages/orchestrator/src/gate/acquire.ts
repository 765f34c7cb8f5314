/**
 * Runs that want to hold.
 *
 * Owns: the answer to `Acquire`: granted, queued, or what `onFull` says. The same message gets the same answer again.
 */
import { FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import { list } from "./listing.ts";
import { type Holders, maxOf } from "./holders.ts";
import type { Acquire, AcquireAnswer, HoldRef } from "./messages.ts";
import { type Queued, dequeue, enqueue, findQueued, firstQueued, positionOf, removeQueued } from "./queue.ts";
import { reserve } from "./rate.ts";
import { adopt } from "./revs.ts";
import { type HeldRow, type QueueRow, heldKey, isQueueRow } from "./rows.ts";

export function acquire(holders: Holders, message: Acquire): AcquireAnswer {
  adopt(holders, message.settings);
  const { draft } = holders;
  const { hold, place } = message;
  const key = heldKey(hold);
  const known = holders.get(key);
  // A holding that was released is over: the message is late.
  if (known !== undefined) return granted(known.startAt);
  const queued = findQueued(draft, hold, place);
  if (message.held === true) return restore(holders, message, queued);
  const under = ancestorOf(holders, message);
  if (under !== undefined) {
    // It came before its ancestor stated what it holds (L5).
    if (queued !== undefined) removeQueued(draft, queued.key);
    return granted(holders.admit({ ...message, under }));
  }
  if (queued !== undefined) return { type: "queued", ...position(positionOf(draft, queued)) };
  if (!holders.isFree || draft.header.queued > 0) return whenFull(holders, message);
  const startAt = laterStart(holders);
  if (startAt !== undefined && message.onFull === "reject") return { type: "full", retryAt: startAt };
  if (startAt !== undefined && isTooLate(holders, message, startAt)) return { type: "dropped", reason: "queue_full" };
  // The run waits, although there is no queue of it.
  if (startAt !== undefined) list(draft);
  return granted(holders.admit({ ...message, under: undefined }));
}

function granted(startAt: number | undefined): AcquireAnswer {
  return { type: "granted", ...(startAt === undefined ? {} : { startAt }) };
}

function position(at: number | undefined): { position?: number } {
  return at === undefined ? {} : { position: at };
}

/** The key of the holding that counts for an ancestor of the run at this gate. */
function ancestorOf(holders: Holders, { lineage = [] }: Acquire): string | undefined {
  for (const ancestor of lineage) {
    const known = heldKey(ancestor);
    const key = holders.get(known) === undefined ? laterHolding(holders, ancestor) : known;
    const row = key === undefined ? undefined : holders.get(key);
    if (row?.mode === "run" && row.released !== true) return row.under ?? key;
  }
  return undefined;
}

/** A run from a back-up holds under another number than that of which its children know (DUR14). */
function laterHolding(holders: Holders, { incarnation }: HoldRef): string | undefined {
  if (incarnation === "") return undefined;
  return holders.all().find(([, { hold }]) => hold.incarnation === incarnation)?.[0];
}

/** When the rate admits the next start, if that is later than now. */
function laterStart({ draft }: Holders): number | undefined {
  const { settings } = draft.header;
  if (settings.rate === undefined) return undefined;
  const { startAt } = reserve(settings.rate, draft.header.tat, draft.now);
  return startAt > draft.now ? startAt : undefined;
}

/** Whether a rate has reserved as many starts as runs may wait in a queue. */
function isTooLate({ draft }: Holders, { again, onFull }: Acquire, startAt: number): boolean {
  const { limit = 0, perMs = 1 } = draft.header.settings.rate ?? {};
  const reserved = ((startAt - draft.now) * limit) / perMs;
  return again === undefined && onFull === "queue" && reserved >= HOST_LIMITS.limitQueued;
}

/** The run holds by its own rows (L5). */
function restore(holders: Holders, message: Acquire, queued: Queued | undefined): AcquireAnswer {
  if (queued !== undefined) removeQueued(holders.draft, queued.key);
  holders.admit({ ...message, under: ancestorOf(holders, message) });
  return { type: "granted" };
}

function whenFull(holders: Holders, message: Acquire): AcquireAnswer {
  switch (message.onFull) {
    case "reject":
      return full(holders);
    case "skip": {
      const rows = holders.all().flatMap(([, { under, hold }]) => (under === undefined ? [hold] : []));
      const own = rows.find(({ tenantId }) => tenantId === message.hold.tenantId);
      return rows.length === 0 ? full(holders) : { type: "skip", holder: own?.runId ?? "" };
    }
    case "replace":
      return replace(holders, message);
    case "queue":
      return queue(holders, message);
  }
}

function full({ draft }: Holders): AcquireAnswer {
  const max = maxOf(draft);
  return { type: "full", ...(max === undefined ? {} : { max }) };
}

function queue(holders: Holders, message: Acquire): AcquireAnswer {
  const { draft } = holders;
  const { maxQueued = HOST_LIMITS.limitQueued, dropQueued } = draft.header.settings;
  if (message.again === undefined && draft.header.queued >= maxQueued) {
    const oldest = dropQueued === "oldest" ? firstQueued(draft) : undefined;
    if (oldest === undefined || oldest.row.again === true) return { type: "dropped", reason: "queue_full" };
    dequeue(draft);
    holders.postDrop(oldest.row.hold, "queue_full", message.hold);
  }
  return wait(holders, message).answer;
}

/** Only the newest run waits for the end of the oldest holder, which is cancelled once. */
function replace(holders: Holders, message: Acquire): AcquireAnswer {
  const { draft } = holders;
  const { replacer } = draft.header;
  const waiting = replacer === undefined ? undefined : draft.get(replacer);
  if (replacer !== undefined && isQueueRow(waiting)) {
    removeQueued(draft, replacer);
    holders.postDrop(waiting.hold, "replaced", message.hold);
  }
  const { key, answer } = wait(holders, message);
  draft.change({ replacer: key });
  // At a paused limit there may be a place.
  if (holders.isFull) cancelOldest(holders, message.hold);
  return answer;
}

function cancelOldest(holders: Holders, by: HoldRef): void {
  const rows = holders.all().filter(([, row]) => row.under === undefined);
  if (rows.some(([, { replacedBy }]) => replacedBy !== undefined)) return;
  const [oldest] = rows;
  if (oldest === undefined) return;
  const [key, row] = oldest;
  holders.put(key, { ...row, replacedBy: by.runId } satisfies HeldRow);
  holders.postDrop(row.hold, "replaced", by);
}

function wait({ draft }: Holders, message: Acquire): { readonly key: string; readonly answer: AcquireAnswer } {
  const { hold, mode, workflowId, place, onFull, again } = message;
  list(draft);
  const row: QueueRow = {
    v: FORMAT_VERSION,
    hold,
    mode,
    workflowId,
    place,
    onFull,
    since: draft.now,
    ...(again === undefined ? {} : { again }),
  };
  const key = enqueue(draft, row);
  const isFirst = firstQueued(draft)?.key === key;
  const isLast = place.priority === undefined && place.group === undefined;
  const at = isFirst ? 1 : isLast ? draft.header.queued : positionOf(draft, { key, row });
  return { key, answer: { type: "queued", ...position(at) } };
}
