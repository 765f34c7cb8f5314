/**
 * Backfills: the runs of past ticks (SCH10).
 *
 * Owns: the job. Its times are computed before it begins, some at a time, so a changed pattern does not change it.
 *
 * Invariants
 * - BF1 A backfill has at most `HOST_LIMITS.backfillTicks` ticks and starts at most `rate` runs a minute.
 * - BF2 A run that a tick or an earlier backfill started has the same id, so it is not started again, unless `again` is set.
 * - BF3 The times of a backfill follow from one declaration: it does not begin if that changed while they were computed.
 */
import { FORMAT_VERSION, HOST_LIMITS, type PreviewedTime, defined } from "@holdfast/protocol";
import type { ScheduleConfig } from "./config.ts";
import { preview } from "./describe.ts";
import type { ScheduleDraft } from "./draft.ts";
import type { CommandReply } from "../host/coordinator.ts";
import type { BackfillCommand, BackfillPlan, PlannedTimes } from "./messages.ts";
import { runIdOf } from "./run-id.ts";
import { BACKFILL_KEY, type BackfillState } from "./rows.ts";
import { nextAsk, postStart, standingOf } from "./start-ticks.ts";
import { type TimesSpec, nextTime } from "./times/next-time.ts";

/** Answers the next times of a range. No answer computes for long, so other objects of the process get their turns. */
export function planBackfill({ config, now }: ScheduleDraft, plan: BackfillPlan): CommandReply {
  const { from, until, known, after = from - 1, of = config.times } = plan;
  if (until > now) return refuse(FUTURE);
  if (!isSame(of, config.times)) return refuse(CHANGED, "not_applicable");
  const times = timesAfter(config, after, until);
  const total = known + times.length;
  if (total > HOST_LIMITS.backfillTicks) return refuse(TOO_MANY);
  const isLast = times.length < HOST_LIMITS.backfillPlanTicks;
  const first = known === 0 ? previewOf(config, times) : [];
  return { type: "done", body: { times, isLast, first, of: config.times } satisfies PlannedTimes };
}

function isSame(one: TimesSpec, other: TimesSpec): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function timesAfter({ times }: ScheduleConfig, after: number, until: number): readonly number[] {
  const found: number[] = [];
  for (let last: number | undefined = after; found.length < HOST_LIMITS.backfillPlanTicks;) {
    last = nextTime(times, last);
    if (last === undefined || last >= until) break;
    found.push(last);
  }
  return found;
}

/** What callers see of the times of a backfill: the first of them. */
function previewOf(config: ScheduleConfig, [first, ...more]: readonly number[]): readonly PreviewedTime[] {
  return first === undefined ? [] : preview(config, first - 1, Math.min(more.length + 1, SHOWN));
}

const SHOWN = 10;
// A future tick would not fire: the run with its id would exist.
const FUTURE =
  "until: is in the future. A backfill starts the runs of past ticks; those to come start by themselves. Give a time that has passed.";
const TOO_MANY = `The range has more than ${HOST_LIMITS.backfillTicks} ticks, which is the limit. Divide it.`;
const CHANGED = "The times of the schedule changed while those of the backfill were computed. Send the request again.";

function refuse(message: string, code: "invalid_body" | "not_applicable" = "invalid_body"): CommandReply {
  return { type: "refused", code, message };
}

/** Begins a backfill with all of its planned times. */
export function beginBackfill(draft: ScheduleDraft, { request, times, of }: BackfillCommand): CommandReply {
  const { header, config, now } = draft;
  if (header.backfill !== undefined) {
    const { next, total } = header.backfill;
    const message = `A backfill is in progress: ${next} of ${total} ticks are done. Wait for its end, or cancel it.`;
    return refuse(message, "not_applicable");
  }
  if (!isSame(of, config.times)) return refuse(CHANGED, "not_applicable");
  const { id, from, until, overlap, rate, newestFirst, again, by } = request;
  const reply = { type: "done", keep: true, body: { total: times.length, times: previewOf(config, times) } } as const;
  if (times.length === 0) return reply;
  const agains = header.agains + (again ? 1 : 0);
  const spacingMs = Math.ceil(60_000 / rate);
  const state = { id, from, until, total: times.length, next: 0, overlap, spacingMs, startAt: now, by };
  draft.put(BACKFILL_KEY, { v: FORMAT_VERSION, times: newestFirst ? times.toReversed() : times });
  draft.change({ agains, backfill: { ...state, ...(again ? { again: agains } : {}) } });
  return reply;
}

export function cancelBackfill(draft: ScheduleDraft): void {
  if (draft.header.backfill === undefined) return;
  draft.delete(BACKFILL_KEY);
  draft.change({ backfill: undefined });
}

/** Starts the runs that are due. */
export function continueBackfill(draft: ScheduleDraft): void {
  const { backfill, orphanedAt } = draft.header;
  if (backfill === undefined || orphanedAt !== undefined || backfill.startAt > draft.now) return;
  const standing = standingOf(backfill.last, draft.asked);
  if (standing === "ended" || backfill.overlap === "allow") return startNext(draft, backfill);
  if (standing === "unknown" || backfill.overlap === "queue") {
    const asking = nextAsk(draft, backfill.asking, backfill.last);
    if (asking !== backfill.asking) draft.change({ backfill: { ...backfill, asking } });
    return;
  }
  startNext(draft, backfill, backfill.last?.runId ?? "");
}

/** Starts the next run. `busy`: the run because of which the tick is skipped. */
function startNext(draft: ScheduleDraft, backfill: BackfillState, busy?: string): void {
  const row = draft.backfill();
  const nominal = row?.times[backfill.next];
  if (nominal === undefined) return cancelBackfill(draft);
  const runId = runIdOf(draft.config.id, nominal, backfill.again);
  const tick = { kind: "backfill", nominal, fireAt: draft.now } as const;
  const outcome =
    busy === undefined
      ? ({ type: "fired", runId } as const)
      : ({ type: "skipped", reason: "overlap", by: busy } as const);
  const seq = draft.decide({ ...tick, outcome, by: backfill.by });
  const last = busy === undefined ? ({ runId, seq, nominal, state: "starting" } as const) : backfill.last;
  const { asking: _, ...rest } = backfill;
  const next = backfill.next + 1;
  const state = { ...rest, next, startAt: draft.now + backfill.spacingMs, ...defined({ last }) };
  if (next === backfill.total) cancelBackfill(draft);
  else draft.change({ backfill: state });
  if (busy === undefined) postStart(draft, { runId, seq, ...tick });
}
