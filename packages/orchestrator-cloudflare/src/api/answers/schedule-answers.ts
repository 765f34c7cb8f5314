/**
 * The answers about schedules as JSON Schema.
 */
import type {
  ListedSchedule,
  PreviewedTime,
  ScheduleDeclared,
  ScheduleOutcome,
  SchedulePause,
  ScheduleRecord,
  ScheduleSync,
  ScheduleTick,
} from "@holdfast/protocol";
import {
  type Fields,
  type JsonSchema,
  anything,
  flag,
  listOf,
  object,
  oneOf,
  ref,
  text,
  time,
  whole,
} from "./json-schemas.ts";

const declared: Fields<ScheduleDeclared> = {
  id: text,
  "description?": text,
  workflowId: text,
  "workflowVersion?": text,
  tags: listOf(text),
  "cron?": listOf(text),
  "seconds?": flag,
  "every?": { ...whole, description: "Milliseconds." },
  "anchor?": text,
  "at?": listOf(text),
  tz: text,
  "from?": text,
  "until?": text,
  "skip?": listOf(text),
  "spread?": { type: ["integer", "string"], description: "Milliseconds, or a share of the time to the next tick." },
  overlap: oneOf("skip", "queue", "replace", "allow"),
  "queueMax?": whole,
  catchUp: oneOf("latest", "all", "none"),
  "onFailures?": object<NonNullable<ScheduleDeclared["onFailures"]>>({ pauseAfter: whole }),
};

const common: Fields<Omit<ListedSchedule, "last">> = {
  ...declared,
  source: { ...oneOf("code", "api"), description: "Who declared it. Code and callers do not change each other's." },
  status: oneOf("active", "paused", "orphaned", "ended"),
  createdAt: time,
  "paused?": object<SchedulePause>({ at: time, by: text, "reason?": text }),
  "orphanedAt?": { ...time, description: "Since when its declaration is gone from the code. Ms since 1970." },
  next: listOf(ref("PreviewedTime")),
};

const outcome: Fields<ScheduleOutcome> = {
  outcome: oneOf("fired", "queued", "skipped", "failed"),
  "runId?": text,
  "reason?": oneOf("overlap", "late", "paused", "limit", "ended", "exists"),
  "byRunId?": { ...text, description: "The run because of which it was skipped, or which a limit did not admit." },
  "until?": { ...time, description: "It stands for all ticks from `nominal` to this time, ms since 1970." },
  "code?": text,
  "message?": text,
};

const record: Fields<ScheduleRecord> = {
  ...common,
  "input?": { ...anything, description: "Absent: its runs get none." },
  environment: text,
  createdBy: text,
  updatedAt: time,
  "nextFireAt?": time,
  waiting: { ...whole, description: "Ticks that wait for the run of an earlier one." },
  failures: { ...whole, description: "Failed runs in a row." },
  counts: object<ScheduleRecord["counts"]>({
    fired: whole,
    failed: whole,
    skipped: { type: "object", additionalProperties: whole },
  }),
  "lateMs?": { ...whole, description: "How late the newest tick was." },
  "lastRunId?": text,
  "backfill?": object<NonNullable<ScheduleRecord["backfill"]>>({
    from: time,
    until: time,
    total: whole,
    done: whole,
    overlap: text,
    by: text,
  }),
  ticks: listOf(ref("ScheduleTick")),
  nextBefore: { type: ["integer", "null"], description: "`before` of the next page." },
};

type Name =
  | "PreviewedTime"
  | "ScheduleTick"
  | "Schedule"
  | "ScheduleList"
  | "ScheduleTriggered"
  | "ScheduleTimes"
  | "ScheduleSync";

export const SCHEDULE_ANSWERS: Readonly<Record<Name, JsonSchema>> = {
  PreviewedTime: object<PreviewedTime>({
    nominal: time,
    fireAt: time,
    local: { ...text, description: "In the zone of the schedule." },
    "note?": { ...text, description: "A gap, a repeated hour, or a changed offset." },
  }),
  ScheduleTick: object<ScheduleTick>({
    seq: whole,
    kind: oneOf("tick", "manual", "backfill"),
    nominal: time,
    fireAt: time,
    at: { ...time, description: "When it was decided, ms since 1970." },
    "by?": text,
    ...outcome,
  }),
  Schedule: object<ScheduleRecord>(record),
  ScheduleList: object({
    schedules: listOf(
      object<ListedSchedule>({
        ...common,
        "last?": object<NonNullable<ListedSchedule["last"]>>({ nominal: time, ...outcome }),
      }),
    ),
  }),
  ScheduleTriggered: object({ runId: text }),
  ScheduleTimes: object({ total: whole, times: listOf(ref("PreviewedTime")) }),
  ScheduleSync: object<ScheduleSync>({
    rev: time,
    appliedRev: { type: ["integer", "null"] },
    stale: { ...flag, description: "The declarations of a later build apply: nothing was changed." },
    changes: listOf(
      object<ScheduleSync["changes"][number]>({
        id: text,
        change: oneOf("created", "changed", "orphaned", "returned", "unchanged", "conflict"),
      }),
    ),
  }),
};
