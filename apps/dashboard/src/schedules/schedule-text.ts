/**
 * What the record of a schedule means, as text.
 *
 * Owns: when it fires, in a line; and what became of a tick and why.
 */
import type {
  ListedSchedule,
  RunStatus,
  ScheduleRecord,
  ScheduleStatus,
  ScheduleTick,
} from "@holdfast/workflows/client";
import { durationText } from "../ui/times.tsx";

/** What the list and the record of a schedule share. */
export type Declared = ListedSchedule | ScheduleRecord;

/** Returns when it fires: its patterns, its interval and its dates, with the zone. */
export function timesText({ cron = [], every, at = [], tz }: Declared): string {
  const parts = [
    ...(cron.length === 0 ? [] : [cron.join(" and ")]),
    ...(every === undefined ? [] : [`every ${durationText(every)}`]),
    ...(at.length === 0 ? [] : [at.length === 1 ? `once, at ${at[0]}` : `at ${at.length} dates`]),
  ];
  return `${parts.join(", and ")}${cron.length === 0 && tz === "UTC" ? "" : `, ${tz}`}`;
}

export const STATUS_LIKE: Readonly<Record<ScheduleStatus, RunStatus>> = {
  active: "waiting",
  paused: "paused",
  orphaned: "cancelled",
  ended: "completed",
};

export const STATUS_TEXTS: Readonly<Record<ScheduleStatus, string>> = {
  active: "active",
  paused: "paused",
  orphaned: "gone from the code",
  ended: "ended",
};

type Outcome = NonNullable<ListedSchedule["last"]> | ScheduleTick;

export const OUTCOME_LIKE: Readonly<Record<Outcome["outcome"], RunStatus>> = {
  fired: "completed",
  queued: "pending",
  skipped: "cancelled",
  failed: "failed",
};

const REASONS: Readonly<Record<NonNullable<Outcome["reason"]>, string>> = {
  overlap: "The run of an earlier tick had not ended.",
  late: "It was missed, and catchUp does not start it.",
  paused: "The schedule was paused.",
  limit: "A limit of the workflow refused the run.",
  ended: "The schedule had ended.",
  exists: "A run with this id existed.",
};

/** Returns why a tick became what it is; nothing for one that fired. */
export function outcomeReason({ outcome, reason, code, message }: Outcome): string {
  if (outcome === "queued") return "It waits for the end of the earlier run.";
  if (outcome === "skipped") return reason === undefined ? "" : REASONS[reason];
  return outcome === "failed" ? [code, message].filter((part) => part !== undefined).join(": ") : "";
}

export const KIND_TEXTS: Readonly<Record<ScheduleTick["kind"], string>> = {
  tick: "tick",
  manual: "by hand",
  backfill: "backfill",
};

export const OVERLAP_TEXTS: Readonly<Record<ScheduleRecord["overlap"], string>> = {
  skip: "a tick is skipped",
  queue: "a tick waits",
  replace: "it is cancelled, and the tick starts",
  allow: "the tick starts beside it",
};

export const CATCH_UP_TEXTS: Readonly<Record<ScheduleRecord["catchUp"], string>> = {
  latest: "the newest one starts, if it is at most a day old",
  all: "the oldest hundred start",
  none: "none starts that is more than a minute late",
};

/** Returns a local time with its offset for readers: `2027-03-14 03:00:00 -04:00`. */
export function localText(local: string): string {
  return local.replace("T", " ").replace(/(Z|[+-]\d\d:\d\d)$/, " $1");
}

/** Returns how many ticks were skipped, by reason. */
export function countsText({ counts: { fired, failed, skipped } }: ScheduleRecord): string {
  const reasons = Object.entries(skipped).map(([reason, number]) => `${number.toLocaleString("en")} ${reason}`);
  const all = Object.values(skipped).reduce((sum, one) => sum + one, 0);
  const because = reasons.length === 0 ? "" : ` (${reasons.join(", ")})`;
  return `${fired.toLocaleString("en")} fired, ${all.toLocaleString("en")} skipped${because}, ${failed.toLocaleString("en")} failed`;
}
