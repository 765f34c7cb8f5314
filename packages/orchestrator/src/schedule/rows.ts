/**
 * The rows of a schedule: their keys, their forms, and reading them.
 *
 * Owns: the layout of the object's storage, and the time of its next alarm.
 *
 * Invariants
 * - SR1 Each row contains its format version `v`. Later versions of a form only add optional fields (VER1).
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import type { CoordinatorHeader } from "../host/coordinator.ts";
import type { ScheduleConfig } from "./config.ts";

/** What reads rows: the store, or a decision that is being made. */
interface RowReader {
  get(key: string): unknown;
}

export const CONFIG_KEY = "config";
/** Decisions about ticks (SCH5). */
export const TICK_PREFIX = "tick/";
/** The times of the backfill in progress (SCH10). */
export const BACKFILL_KEY = "backfill";
/** The ticks whose runs a clock that was ahead has started (SCH12). */
export const AHEAD_KEY = "ahead";

export type TickKind = "tick" | "manual" | "backfill";

/** Why a tick started no run. */
type SkipReason = "overlap" | "late" | "paused" | "limit" | "ended" | "exists";

/** What became of a tick. */
export type TickOutcome =
  /** Its run is started, or waits for the earlier one. */
  | { readonly type: "fired" | "queued"; readonly runId: string }
  /** `by`: the run that has not ended. `until`: the row stands for all ticks from `nominal` to this time. */
  | { readonly type: "skipped"; readonly reason: SkipReason; readonly by?: string; readonly until?: number }
  | { readonly type: "failed"; readonly runId: string; readonly code: string; readonly message: string };

export interface TickRow {
  readonly v: number;
  readonly seq: number;
  readonly kind: TickKind;
  /** The time of the schedule, ms since 1970. Of a manual tick: when it was requested. */
  readonly nominal: number;
  readonly fireAt: number;
  /** When it was decided. */
  readonly at: number;
  readonly outcome: TickOutcome;
  /** Of a manual tick or a backfill: the caller. */
  readonly by?: string | undefined;
}

/** A tick whose run is not started yet. */
export interface WaitingTick {
  readonly seq: number;
  readonly nominal: number;
  readonly fireAt: number;
  /** The nominal time of the tick before. */
  readonly previous?: number | undefined;
  /** When it may start, ms since 1970: missed ticks start one after the other (SCH7). */
  readonly startAt: number;
  /** It waits for the end of the earlier run (SCH6), and its row says so. */
  readonly queued?: true | undefined;
}

/** The newest run of a tick. Until its start is acknowledged it counts as running. */
export interface LastRun {
  readonly runId: string;
  readonly seq: number;
  readonly nominal: number;
  readonly state: "starting" | "running" | "ended";
  /** A newer tick has cancelled it (SCH6 `replace`). */
  readonly cancelled?: true | undefined;
}

/** When the earlier run is asked again, and how often it was asked. */
export interface Asking {
  readonly at: number;
  readonly count: number;
  /** Ticks that are due are decided with the answer, or at `at` without one. */
  readonly holds?: true | undefined;
}

interface PausedState {
  readonly at: number;
  /** `failures`: too many runs failed (SCH8). */
  readonly by: "operator" | "failures";
  readonly subject?: string | undefined;
  readonly reason?: string | undefined;
  /** The watermark then: `resume` with `catchUp` decides the ticks after it again. */
  readonly watermark: number;
}

/** A backfill in progress. Its times are in a row of their own. */
export interface BackfillState {
  readonly id: string;
  readonly from: number;
  readonly until: number;
  readonly total: number;
  /** The position of the next time. */
  readonly next: number;
  readonly overlap: "allow" | "queue" | "skip";
  readonly spacingMs: number;
  /** The number that ids of its runs end with: runs that exist start again. */
  readonly again?: number | undefined;
  readonly startAt: number;
  readonly by: string;
  readonly last?: LastRun | undefined;
  readonly asking?: Asking | undefined;
}

export interface BackfillRow {
  readonly v: number;
  readonly times: readonly number[];
}

export interface AheadRow {
  readonly v: number;
  readonly started: readonly number[];
}

/** The ticks of each outcome, for metrics. Reasons of skipped ones by name. */
interface TickCounts {
  readonly fired: number;
  readonly failed: number;
  readonly skipped: Readonly<Record<string, number>>;
}

export interface ScheduleHeader extends CoordinatorHeader {
  readonly environment: string;
  readonly baseUrl?: string | undefined;
  readonly source: "code" | "api";
  /** The time of the build that declares it (SCH9). */
  readonly rev?: number | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly updatedAt: number;
  /** All times until this one are decided (SCH5). Decreases only at `resume` with `catchUp`, and with the clock (SCH12). */
  readonly watermark: number;
  /** The greatest watermark of a clock that was ahead, until the clock is there again. */
  readonly aheadUntil?: number | undefined;
  /** The nominal time of the newest decided tick. */
  readonly lastNominal?: number | undefined;
  /** When the next tick fires. Absent: there is none, or the schedule is paused or orphaned. */
  readonly nextAt?: number | undefined;
  readonly waiting: readonly WaitingTick[];
  readonly last?: LastRun | undefined;
  readonly asking?: Asking | undefined;
  /** Failed runs in a row. */
  readonly failures: number;
  readonly paused?: PausedState | undefined;
  readonly orphanedAt?: number | undefined;
  /** There is no such schedule (any more). The object is erased when its messages are acknowledged. */
  readonly gone?: true | undefined;
  readonly backfill?: BackfillState | undefined;
  /** How many backfills with `again` there were. */
  readonly agains: number;
  /** The position of the next decision. */
  readonly nextSeq: number;
  readonly counts: TickCounts;
  /** How late the newest tick fired, ms. */
  readonly lateMs?: number | undefined;
  /** The version of what the tenant's list knows, and the time until which it wakes the schedule without more (SCH11). */
  readonly listed: { readonly version: number; readonly dueAt?: number | undefined };
}

interface Rows {
  readonly [CONFIG_KEY]: ScheduleConfig & { readonly v: number };
  readonly [TICK_PREFIX]: TickRow;
  readonly [BACKFILL_KEY]: BackfillRow;
  readonly [AHEAD_KEY]: AheadRow;
}

export function readScheduleRow<K extends keyof Rows>(store: RowReader, kind: K, rest = ""): Rows[K] | undefined {
  const row = store.get(kind + rest);
  return isRow(kind, row) ? row : undefined;
}

/** Keys determine forms. */
function isRow<K extends keyof Rows>(_kind: K, row: unknown): row is Rows[K] {
  return row !== undefined;
}

export function tickKey(seq: number): string {
  return TICK_PREFIX + String(seq).padStart(10, "0");
}

/** The time of the next alarm, ms since 1970, beside that of the outbox. */
export function nextAlarm(header: ScheduleHeader): number | undefined {
  const { nextAt, waiting, asking, backfill, orphanedAt, gone } = header;
  if (gone === true) return undefined;
  const [first] = waiting;
  const times = [
    nextAt && Math.max(nextAt, asking?.holds === true ? asking.at : 0),
    first && Math.max(first.startAt, asking?.at ?? 0),
    backfill && Math.max(backfill.startAt, backfill.asking?.at ?? 0),
    orphanedAt && orphanedAt + HOST_LIMITS.orphanMs,
  ].filter((time) => time !== undefined);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Moves the timers back with the clock (CO4). Times of ticks are dates: they stay, and no tick fires again (SCH12). */
export function clockBack(
  { waiting, asking, backfill, orphanedAt }: ScheduleHeader,
  ms: number,
): Partial<ScheduleHeader> {
  return {
    waiting: waiting.map((tick) => ({ ...tick, startAt: tick.startAt - ms })),
    asking: askingBack(asking, ms),
    orphanedAt: orphanedAt && orphanedAt - ms,
    backfill: backfill && {
      ...backfill,
      startAt: backfill.startAt - ms,
      asking: askingBack(backfill.asking, ms),
    },
  };
}

function askingBack(asking: Asking | undefined, ms: number): Asking | undefined {
  return asking && { ...asking, at: asking.at - ms };
}
