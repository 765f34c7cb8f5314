/**
 * A schedule for readers.
 *
 * Owns: the record of the API, the times of a preview, and the notes about changes of the clock (SCH10).
 */
import {
  ENCODED_UNDEFINED,
  type ListedSchedule,
  type PreviewedTime,
  type ScheduleDeclared,
  type ScheduleOutcome,
  type ScheduleRecord,
  type ScheduleStatus,
  type ScheduleTick,
  defined,
  showValue,
} from "@holdfast/protocol";
import type { ScheduleConfig } from "./config.ts";
import type { ScheduleDraft } from "./draft.ts";
import type { ScheduleEntry } from "./messages.ts";
import type { ScheduleHeader, TickRow } from "./rows.ts";
import { fireAtOf } from "./spread.ts";
import { type TimesSpec, nextTimes } from "./times/next-time.ts";
import { isoText } from "./times/utc.ts";
import { localTime, offsetText } from "./times/zone.ts";

/** The times that a record and a preview have. */
const PREVIEW_TIMES = 10;

const DAY_MS = 86_400_000;

/** What a preview needs of a schedule. Without `id` it does not exist yet. */
export interface PreviewConfig extends Pick<ScheduleConfig, "times" | "spread"> {
  readonly id?: string;
}

/** Returns the next times, at most ten. */
export function preview(
  { id = "", times, spread }: PreviewConfig,
  after: number,
  count: number = PREVIEW_TIMES,
): PreviewedTime[] {
  const { tz } = times;
  const ofSpread = spread !== undefined && id === "" ? NEEDS_ID : undefined;
  return nextTimes(times, after, count).map((nominal) => {
    const { date, time, offsetMs } = localTime(tz, nominal);
    const local = `${date}T${time}${offsetText(offsetMs)}`;
    const note = [noteOf(tz, nominal), ofSpread].filter((one) => one !== undefined).join(" ");
    const fireAt = fireAtOf({ id, times, spread }, nominal);
    return { nominal, fireAt, local, ...(note === "" ? {} : { note }) };
  });
}

const NEEDS_ID = "How long after this time it fires follows from the id of the schedule: give the id.";

/** Describes a change of the clock at a time or in the day before it. */
function noteOf(tz: string, nominal: number): string | undefined {
  const { offsetMs, time } = localTime(tz, nominal);
  const justBefore = localTime(tz, nominal - 1_000);
  if (justBefore.offsetMs < offsetMs) {
    return `The clock goes forward at this time: no local times are between ${justBefore.time} and ${time}.`;
  }
  const later = [1_800_000, 3_600_000, 7_200_000].find((shift) => localTime(tz, nominal + shift).time === time);
  if (later !== undefined) return `${time} occurs twice on this day. This is the first one.`;
  const dayBefore = localTime(tz, nominal - DAY_MS).offsetMs;
  if (dayBefore === offsetMs) return undefined;
  return `The offset has changed from ${offsetText(dayBefore)} to ${offsetText(offsetMs)} in the day before.`;
}

/** Returns the declaration for readers, with dates as text, as it can be declared again. */
function describeConfig(config: Omit<ScheduleConfig, "input">): ScheduleDeclared {
  const { id, description, workflowId, workflowVersion, tags, times, spread, overlap, queueMax, catchUp, pauseAfter } =
    config;
  return defined({
    id,
    description,
    workflowId,
    workflowVersion,
    tags,
    ...describeTimes(times),
    spread: spread && ("ms" in spread ? spread.ms : `${Math.round(spread.share * 100)}%`),
    overlap,
    queueMax: overlap === "queue" ? queueMax : undefined,
    catchUp,
    onFailures: pauseAfter === undefined ? undefined : { pauseAfter },
  });
}

type Described = "cron" | "seconds" | "every" | "anchor" | "at" | "tz" | "from" | "until" | "skip";

function describeTimes({
  cron,
  seconds,
  every,
  anchor,
  at,
  tz,
  from,
  until,
  skip,
}: TimesSpec): Pick<ScheduleDeclared, Described> {
  return defined({
    cron,
    seconds,
    every,
    anchor: anchor === undefined ? undefined : isoText(anchor),
    at: at?.map(isoText),
    tz,
    from: from === undefined ? undefined : isoText(from),
    until: until === undefined ? undefined : isoText(until),
    skip: skip?.map((one) => (typeof one === "number" ? isoText(one) : one)),
  });
}

/** Returns the entry of a list. */
export function describeListed(entry: ScheduleEntry, now: number): ListedSchedule {
  const { config, source, createdAt, paused, orphanedAt, last } = entry;
  const isActive = paused === undefined && orphanedAt === undefined;
  const [next] = isActive ? preview(config, now, 1) : [];
  return defined({
    ...describeConfig(config),
    source,
    status: statusOf(entry, next !== undefined),
    createdAt,
    paused: paused && defined(paused),
    orphanedAt,
    next: next === undefined ? [] : [next],
    last: last && { nominal: last.nominal, ...describeOutcome(last.outcome) },
  });
}

function statusOf(
  { paused, orphanedAt }: Pick<ScheduleHeader, "paused" | "orphanedAt"> | ScheduleEntry,
  hasNext: boolean,
): ScheduleStatus {
  if (orphanedAt !== undefined) return "orphaned";
  return paused !== undefined ? "paused" : hasNext ? "active" : "ended";
}

/** Returns the record of a schedule with its newest decisions, or those before a position. */
export function describeSchedule(draft: ScheduleDraft, limit: number, before?: number): ScheduleRecord {
  const { header, config } = draft;
  const { source, createdAt, createdBy, updatedAt, orphanedAt, lateMs, last } = header;
  const { paused, backfill, waiting, failures, counts } = header;
  const next = orphanedAt === undefined ? preview(config, Math.max(header.watermark, draft.now)) : [];
  const hasNext = next.length > 0 || waiting.length > 0 || header.nextAt !== undefined;
  const known = defined({
    ...describeConfig(config),
    environment: header.environment,
    source,
    status: statusOf(header, hasNext),
    createdAt,
    createdBy,
    updatedAt,
    paused: paused && defined({ at: paused.at, by: paused.subject ?? paused.by, reason: paused.reason }),
    orphanedAt,
    nextFireAt: header.nextAt,
    next,
    waiting: waiting.length,
    failures,
    counts,
    lateMs,
    lastRunId: last?.runId,
    backfill: backfill && describeBackfill(backfill),
    ...describeTicks(draft.ticks(limit + 1, before), limit),
  });
  return config.input === ENCODED_UNDEFINED ? known : { ...known, input: showValue(config.input) };
}

function describeTicks(ticks: readonly TickRow[], limit: number): Pick<ScheduleRecord, "ticks" | "nextBefore"> {
  const nextBefore = ticks.length > limit ? (ticks[limit - 1]?.seq ?? null) : null;
  return { ticks: ticks.slice(0, limit).map(describeTick), nextBefore };
}

function describeBackfill({
  from,
  until,
  total,
  next,
  overlap,
  by,
}: NonNullable<ScheduleHeader["backfill"]>): ScheduleRecord["backfill"] & object {
  return { from, until, total, done: next, overlap, by };
}

function describeTick({ seq, kind, nominal, fireAt, at, by, outcome }: TickRow): ScheduleTick {
  return defined({ seq, kind, nominal, fireAt, at, by, ...describeOutcome(outcome) });
}

/** `byRunId`: the run because of which a tick was skipped. */
function describeOutcome(outcome: TickRow["outcome"]): ScheduleOutcome {
  switch (outcome.type) {
    case "fired":
    case "queued":
      return { outcome: outcome.type, runId: outcome.runId };
    case "skipped":
      return defined({ outcome: "skipped", reason: outcome.reason, byRunId: outcome.by, until: outcome.until });
    case "failed":
      return { outcome: "failed", runId: outcome.runId, code: outcome.code, message: outcome.message };
  }
}
