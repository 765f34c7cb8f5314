/**
 * What callers and the code do with a schedule.
 *
 * Owns: its creation, its changes, and the refusals.
 *
 * Invariants
 * - CM1 What the code declares never changes a schedule of the API, nor the reverse (SCH9). A pause stays in any case (SCH8).
 * - CM2 A changed time applies from now on: no tick of the new pattern is in the past.
 */
import { HOST_LIMITS, defined } from "@holdfast/protocol";
import type { CommandRefusal, CommandReply } from "../host/coordinator.ts";
import { beginBackfill, cancelBackfill } from "./backfill.ts";
import type { ScheduleConfig } from "./config.ts";
import type { ScheduleDraft } from "./draft.ts";
import { advance, evaluate } from "./evaluate.ts";
import type { ScheduleCommand, ScheduleOrigin, ToSchedule } from "./messages.ts";
import type { ScheduleHeader } from "./rows.ts";
import { manualRunId } from "./run-id.ts";
import { dropWaiting, pauseSchedule, postStart } from "./start-ticks.ts";

type InputOf<T extends (ScheduleCommand | ToSchedule)["type"]> = Extract<ScheduleCommand | ToSchedule, { type: T }>;

const DONE: CommandReply = { type: "done", body: {} };

export function refuse(code: CommandRefusal, message: string): CommandReply {
  return { type: "refused", code, message };
}

export function create(draft: ScheduleDraft, { config, by, ...origin }: InputOf<"create">): CommandReply {
  if (draft.exists) {
    const isSame = draft.header.source === "api" && isSameConfig(draft.config, config);
    if (isSame) return DONE;
    return refuse(
      "schedule_exists",
      `There is a schedule ${JSON.stringify(config.id)} already. Change it, or choose another id.`,
    );
  }
  begin(draft, config, { source: "api", createdBy: by, ...originOf(origin) });
  return DONE;
}

export function update(draft: ScheduleDraft, { config }: InputOf<"update">): CommandReply {
  if (draft.header.source === "code") return refuseCode(draft, "change it there");
  reconfigure(draft, config);
  return DONE;
}

export function declare(draft: ScheduleDraft, { config, rev, ...origin }: InputOf<"declare">): void {
  if (!draft.exists) {
    begin(draft, config, { source: "code", createdBy: "code", rev, ...originOf(origin) });
    return;
  }
  const { header } = draft;
  if (header.source === "api" || (header.rev ?? 0) > rev) return;
  const returns = header.orphanedAt !== undefined;
  draft.change({ rev, orphanedAt: undefined, ...originOf(origin) });
  if (returns) draft.change({ watermark: Math.max(header.watermark, draft.now) });
  reconfigure(draft, config);
}

/** The declaration is gone from the code: the schedule fires no more, and comes back if a later build has it again. */
export function orphan(draft: ScheduleDraft, { rev }: InputOf<"orphan">): void {
  const { source, rev: known = rev, orphanedAt } = draft.header;
  if (source !== "code" || known > rev || orphanedAt !== undefined) return;
  dropWaiting(draft, "ended");
  cancelBackfill(draft);
  draft.change({ rev, orphanedAt: draft.now, nextAt: undefined });
  draft.list();
}

export function pause(draft: ScheduleDraft, { by, reason }: InputOf<"pause">): CommandReply {
  if (draft.header.paused === undefined) pauseSchedule(draft, "operator", by, reason);
  return DONE;
}

export function resume(draft: ScheduleDraft, { catchUp }: InputOf<"resume">): CommandReply {
  const { paused } = draft.header;
  if (paused === undefined) return DONE;
  draft.change({ paused: undefined, failures: 0, ...(catchUp ? { watermark: paused.watermark } : {}) });
  // Its run may have ended long ago. It is asked again.
  if (catchUp) evaluate(draft);
  advance(draft);
  draft.list();
  return DONE;
}

/** The newest decisions among which a repeated request finds the first one. */
const KNOWN_TICKS = 100;

/** Starts a run now, whatever else executes. The same request again starts no second one, and stores nothing. */
export function triggerNow(draft: ScheduleDraft, { by, unique }: InputOf<"trigger">): CommandReply {
  const { header, now } = draft;
  if (header.orphanedAt !== undefined) return refuseOrphan(draft);
  const runId = manualRunId(draft.config.id, unique);
  const isKnown = draft.ticks(KNOWN_TICKS).some(({ outcome }) => "runId" in outcome && outcome.runId === runId);
  if (isKnown) return { type: "done", body: { runId } };
  const { count } = header.outbox;
  if (count >= HOST_LIMITS.scheduleStarts)
    return refuse("not_applicable", `${count} starts of the schedule are not acknowledged yet. Try again later.`);
  const tick = { kind: "manual", nominal: now, fireAt: now } as const;
  const seq = draft.decide({ ...tick, outcome: { type: "fired", runId }, by });
  postStart(draft, { runId, seq, ...tick, previous: header.lastNominal });
  return { type: "done", body: { runId } };
}

export function backfill(draft: ScheduleDraft, command: InputOf<"backfill">): CommandReply {
  return draft.header.orphanedAt === undefined ? beginBackfill(draft, command) : refuseOrphan(draft);
}

export function remove(draft: ScheduleDraft): CommandReply {
  const { source, orphanedAt } = draft.header;
  if (source === "code" && orphanedAt === undefined) return refuseCode(draft, "remove it there, or pause it");
  erase(draft);
  return DONE;
}

/** Deletes the schedule. Its rows stay until its messages are acknowledged. */
export function erase(draft: ScheduleDraft): void {
  dropWaiting(draft, "ended");
  cancelBackfill(draft);
  const version = Math.max(draft.header.listed.version + 1, draft.now);
  draft.change({ gone: true, nextAt: undefined, paused: undefined, orphanedAt: undefined, listed: { version } });
  draft.postToList({ type: "unlisted", id: draft.config.id, version });
}

/** A schedule that was deleted may begin again before its rows are erased. */
const NOTHING_KNOWN = {
  aheadUntil: undefined,
  lastNominal: undefined,
  last: undefined,
  asking: undefined,
  paused: undefined,
  orphanedAt: undefined,
  backfill: undefined,
  lateMs: undefined,
} as const;

function originOf({ tenantId, environment, baseUrl }: ScheduleOrigin): ScheduleOrigin {
  return { environment, ...defined({ tenantId, baseUrl }) };
}

function refuseCode({ config }: ScheduleDraft, what: string): CommandReply {
  return refuse("not_applicable", `The code declares the schedule ${JSON.stringify(config.id)}: ${what}.`);
}

function refuseOrphan({ config }: ScheduleDraft): CommandReply {
  return refuse(
    "not_applicable",
    `The schedule ${JSON.stringify(config.id)} is no longer in the code, so it starts no run. Declare it again.`,
  );
}

function begin(
  draft: ScheduleDraft,
  config: ScheduleConfig,
  made: Pick<ScheduleHeader, "source" | "createdBy" | "rev"> & ScheduleOrigin,
): void {
  const { now } = draft;
  draft.change({
    ...made,
    gone: undefined,
    createdAt: now,
    updatedAt: now,
    watermark: now,
    failures: 0,
    counts: { fired: 0, failed: 0, skipped: {} },
    ...NOTHING_KNOWN,
  });
  draft.configure(config);
  advance(draft);
  draft.list();
}

function reconfigure(draft: ScheduleDraft, config: ScheduleConfig): void {
  const before = draft.config;
  const isSame = isSameConfig(before, config);
  if (!isSame) draft.configure(config);
  const changesTimes = JSON.stringify([before.times, before.spread]) !== JSON.stringify([config.times, config.spread]);
  if (changesTimes) draft.change({ watermark: Math.max(draft.header.watermark, draft.now) });
  if (!isSame) draft.change({ updatedAt: draft.now });
  advance(draft);
  draft.list();
}

export function isSameConfig(a: Partial<ScheduleConfig>, b: Partial<ScheduleConfig>): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value).filter(([name, field]) => field !== undefined && name !== "v");
  return Object.fromEntries(
    fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, sorted(field)]),
  );
}
