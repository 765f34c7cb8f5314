/**
 * Schedules as the API shows them. Times are ms since 1970, unless they are text.
 */

import type { Duration } from "./durations.ts";

/** The fields of a declaration, as they were declared. Dates are ISO 8601. */
export interface ScheduleDeclared {
  readonly id: string;
  readonly description?: string;
  readonly workflowId: string;
  readonly workflowVersion?: string;
  readonly tags: readonly string[];
  readonly cron?: readonly string[];
  readonly seconds?: boolean;
  /** Milliseconds. */
  readonly every?: number;
  readonly anchor?: string;
  readonly at?: readonly string[];
  readonly tz: string;
  readonly from?: string;
  readonly until?: string;
  readonly skip?: readonly string[];
  /** Milliseconds, or a share of the time to the next tick such as `50%`. */
  readonly spread?: number | string;
  readonly overlap: "skip" | "queue" | "replace" | "allow";
  readonly queueMax?: number;
  readonly catchUp: "latest" | "all" | "none";
  readonly onFailures?: { readonly pauseAfter: number };
}

type Time = Date | string;

/** A schedule as code declares it (SCH1). Times as text have an offset: `2027-01-31T09:00:00Z`. */
export interface DeclaredSchedule {
  /** 1 to 100 letters, digits, dots, hyphens and underscores. Part of the ids of its runs. */
  readonly id: string;
  readonly description?: string | undefined;
  /** The workflow, or its id. */
  readonly workflow: { readonly id: string } | string;
  /** Only this version. Default: the newest one that is served when a tick fires (SCH12). */
  readonly version?: string | undefined;
  readonly input?: unknown;
  readonly tags?: readonly string[] | undefined;
  /** Patterns of five fields: minute, hour, day of the month, month, weekday. */
  readonly cron?: string | readonly string[] | undefined;
  /** Patterns may have a sixth field, the first one, for seconds. */
  readonly seconds?: boolean | undefined;
  /** An interval of at least a second, in elapsed time from `anchor`. */
  readonly every?: Duration | undefined;
  /** Default: 1970-01-01T00:00:00Z. */
  readonly anchor?: Time | undefined;
  readonly at?: Time | readonly Time[] | undefined;
  /** The zone of patterns and of excluded days, such as `Europe/Berlin`. Default: UTC. */
  readonly tz?: string | undefined;
  /** The first possible time. */
  readonly from?: Time | undefined;
  /** No tick is at this time or later. */
  readonly until?: Time | undefined;
  /** Excluded days of the zone, such as `2027-12-25`, and excluded times. */
  readonly skip?: readonly Time[] | undefined;
  /** A tick fires later by a part of this time, always the same: a duration, or a share of the time to the next tick (SCH3). */
  readonly spread?: Duration | `${number}%`;
  /** What happens while the run of an earlier tick has not ended (SCH6). Default: `skip`. */
  readonly overlap?: "skip" | "queue" | "replace" | "allow" | undefined;
  /** With `queue`: how many ticks wait, from 1 to 100. Default: 1. */
  readonly queueMax?: number | undefined;
  /** Which missed ticks start (SCH7). Default: `latest`. */
  readonly catchUp?: "latest" | "all" | "none" | undefined;
  /** Pauses the schedule after so many failed runs in a row (SCH8). */
  readonly onFailures?: { readonly pauseAfter?: number } | undefined;
}

/** A time of a schedule (SCH10). */
export interface PreviewedTime {
  readonly nominal: number;
  readonly fireAt: number;
  /** In the zone of the schedule: `2027-03-14T03:00:00-04:00`. */
  readonly local: string;
  /** What the reader may not expect: a gap, a repeated hour, or a changed offset. */
  readonly note?: string;
}

/** What became of a tick (SCH5). */
export interface ScheduleOutcome {
  readonly outcome: "fired" | "queued" | "skipped" | "failed";
  /** Of `fired`, `queued` and `failed`. */
  readonly runId?: string;
  /** Of `skipped`. */
  readonly reason?: "overlap" | "late" | "paused" | "limit" | "ended" | "exists";
  /** The run that has not ended, or that exists. */
  readonly byRunId?: string;
  /** The decision stands for all ticks from `nominal` to this time. */
  readonly until?: number;
  /** Of `failed`. */
  readonly code?: string;
  readonly message?: string;
}

export interface ScheduleTick extends ScheduleOutcome {
  readonly seq: number;
  readonly kind: "tick" | "manual" | "backfill";
  readonly nominal: number;
  readonly fireAt: number;
  /** When it was decided. */
  readonly at: number;
  /** Of a manual tick or a backfill: the caller. */
  readonly by?: string;
}

export interface SchedulePause {
  readonly at: number;
  /** The caller, or `failures`. */
  readonly by: string;
  readonly reason?: string;
}

export type ScheduleStatus = "active" | "paused" | "orphaned" | "ended";

interface ScheduleCommon extends ScheduleDeclared {
  readonly source: "code" | "api";
  readonly status: ScheduleStatus;
  readonly createdAt: number;
  readonly paused?: SchedulePause;
  /** Since when its declaration is gone from the code (SCH9). */
  readonly orphanedAt?: number;
  /** The next times. */
  readonly next: readonly PreviewedTime[];
}

/** A schedule in a list. */
export interface ListedSchedule extends ScheduleCommon {
  readonly last?: ScheduleOutcome & { readonly nominal: number };
}

export interface ScheduleRecord extends ScheduleCommon {
  /** Absent: its runs get none. */
  readonly input?: unknown;
  readonly environment: string;
  readonly createdBy: string;
  readonly updatedAt: number;
  readonly nextFireAt?: number;
  /** Ticks that wait for the run of an earlier one. */
  readonly waiting: number;
  /** Failed runs in a row. */
  readonly failures: number;
  readonly counts: {
    readonly fired: number;
    readonly failed: number;
    readonly skipped: Readonly<Record<string, number>>;
  };
  /** How late the newest tick was, ms. */
  readonly lateMs?: number;
  readonly lastRunId?: string;
  readonly backfill?: {
    readonly from: number;
    readonly until: number;
    readonly total: number;
    readonly done: number;
    readonly overlap: string;
    readonly by: string;
  };
  /** The newest decisions, the newest first. */
  readonly ticks: readonly ScheduleTick[];
  /** `before` of the next page; `null`: there is none. */
  readonly nextBefore: number | null;
}

/** What a build's declarations change (SCH9). `conflict`: the API has made a schedule of this id. */
export interface ScheduleSync {
  /** The time of the build that is served. */
  readonly rev: number;
  /** The time of the build whose declarations apply. */
  readonly appliedRev: number | null;
  /** A later build applies, so nothing was changed. */
  readonly stale: boolean;
  readonly changes: readonly {
    readonly id: string;
    readonly change: "created" | "changed" | "orphaned" | "returned" | "unchanged" | "conflict";
  }[];
}
