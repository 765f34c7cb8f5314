/**
 * The messages of schedules, and the commands of the Worker to them.
 *
 * Owns: the messages between a schedule and the list of its tenant, the messages of its runs, and the commands.
 *
 * Invariants
 * - SM1 Every message may be lost, repeated and late. A list recognises an old entry by its version, a schedule an old
 *   declaration by its `rev`, and a run a repeated start by its id (SCH4).
 */
import type { PreviewedTime, RunStatus } from "@holdfast/protocol";
import type { NotAdmitted, RunMessage } from "../run/state/messages.ts";

export type { ProbeRun } from "../run/state/messages.ts";
import type { ScheduleConfig } from "./config.ts";
import type { TickOutcome } from "./rows.ts";
import type { TimesSpec } from "./times/next-time.ts";

/** What the list of a tenant knows of a schedule. */
export interface ScheduleEntry {
  readonly id: string;
  /** Higher in each later entry. */
  readonly version: number;
  /** Without the input, which may be large. */
  readonly config: Omit<ScheduleConfig, "input">;
  /** A digest of the input: another input has another one. */
  readonly inputDigest: string;
  readonly source: "code" | "api";
  readonly rev?: number | undefined;
  readonly createdAt: number;
  readonly paused?: { readonly at: number; readonly by: string; readonly reason?: string | undefined } | undefined;
  readonly orphanedAt?: number | undefined;
  /** When the schedule must have sent a newer entry, ms since 1970 (SCH11). Absent: it has no alarm. */
  readonly dueAt?: number | undefined;
  readonly last?: { readonly nominal: number; readonly outcome: TickOutcome } | undefined;
}

/** To the list of a tenant. */
export type ListMessage =
  | { readonly type: "listed"; readonly entry: ScheduleEntry }
  | { readonly type: "unlisted"; readonly id: string; readonly version: number };

/** To a schedule, from the list of its tenant. */
export type ListsMessage =
  | ({ readonly type: "declare"; readonly config: ScheduleConfig; readonly rev: number } & ScheduleOrigin)
  /** Gone from the code of this build (SCH9). */
  | { readonly type: "orphan"; readonly rev: number }
  /** The list has expected a newer entry: the alarm of the schedule may be lost (SCH11). */
  | { readonly type: "poke"; readonly id: string };

/** To a schedule. */
export type ToSchedule = ListsMessage | NotAdmitted;

/** From a schedule. */
export type ScheduleMessage = Extract<RunMessage, { type: "trigger" | "cancel" }> | ListMessage;

/** What a schedule passes on to its runs. */
export interface ScheduleOrigin {
  readonly tenantId?: string | undefined;
  readonly environment: string;
  readonly baseUrl?: string | undefined;
}

export interface BackfillRequest {
  readonly id: string;
  /** The ticks from `from` on, and before `until`, ms since 1970. */
  readonly from: number;
  readonly until: number;
  readonly overlap: "allow" | "queue" | "skip";
  /** Runs a minute. */
  readonly rate: number;
  readonly newestFirst: boolean;
  readonly again: boolean;
  readonly by: string;
}

/** Asks for the times of a backfill, at most `HOST_LIMITS.backfillPlanTicks` of them. */
export interface BackfillPlan extends Pick<BackfillRequest, "from" | "until"> {
  readonly type: "planBackfill";
  /** The number of times that are known already, the newest of them, and what they follow from. */
  readonly known: number;
  readonly after?: number | undefined;
  readonly of?: TimesSpec | undefined;
}

/** Times of a backfill. */
export interface PlannedTimes {
  readonly times: readonly number[];
  readonly isLast: boolean;
  /** The first ones of all, with what a preview shows of them. Empty in later answers. */
  readonly first: readonly PreviewedTime[];
  /** What they follow from. */
  readonly of: TimesSpec;
}

export interface BackfillCommand extends Pick<PlannedTimes, "times" | "of"> {
  readonly type: "backfill";
  readonly request: BackfillRequest;
}

/** Commands of the Worker. */
export type ScheduleCommand =
  | ({ readonly type: "create"; readonly config: ScheduleConfig; readonly by: string } & ScheduleOrigin)
  | { readonly type: "update"; readonly config: ScheduleConfig; readonly by: string }
  | { readonly type: "pause"; readonly by: string; readonly reason?: string | undefined }
  | { readonly type: "resume"; readonly by: string; readonly catchUp: boolean }
  /** `unique` ends the id of the run. */
  | { readonly type: "trigger"; readonly by: string; readonly unique: string }
  | BackfillCommand
  | { readonly type: "cancelBackfill" }
  | { readonly type: "delete" }
  /** `before`: only decisions before this position. */
  | { readonly type: "read"; readonly limit: number; readonly before?: number | undefined }
  | BackfillPlan;

/** `unreachable`: the run did not answer. */
export type RunStanding = RunStatus | "gone" | "unreachable";
