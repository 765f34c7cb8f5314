/**
 * Backfills: the runs of past ticks (SCH10).
 *
 * Owns: the job. Its times are computed once, when it begins, so a changed pattern does not change it.
 *
 * Invariants
 * - BF1 A backfill has at most `HOST_LIMITS.backfillTicks` ticks and starts at most `rate` runs a minute.
 * - BF2 A run that a tick or an earlier backfill started has the same id, so it is not started again, unless `again` is set.
 */
import { FORMAT_VERSION, HOST_LIMITS, defined } from "@holdfast/protocol";
import type { ScheduleConfig } from "./config.ts";
import { preview } from "./describe.ts";
import type { ScheduleDraft } from "./draft.ts";
import type { CommandReply } from "../host/coordinator.ts";
import type { BackfillRequest } from "./messages.ts";
import { runIdOf } from "./run-id.ts";
import { BACKFILL_KEY, type BackfillState } from "./rows.ts";
import { nextAsk, postStart, standingOf } from "./start-ticks.ts";
import { nextTime } from "./times/next-time.ts";

/** The ticks of a range, at most one more than a backfill may have. */
function backfillTimes({ times }: ScheduleConfig, from: number, until: number): readonly number[] {
  const found: number[] = [];
  for (let last: number | undefined = from - 1; found.length <= HOST_LIMITS.backfillTicks;) {
    last = nextTime(times, last);
    if (last === undefined || last >= until) break;
    found.push(last);
  }
  return found;
}

/** What a backfill would start: the number of ticks, and the first of them. */
export function planBackfill(draft: ScheduleDraft, request: BackfillRequest): CommandReply {
  const { config } = draft;
  const { from, until } = request;
  const times = backfillTimes(config, from, until);
  const first = preview(config, from - 1, Math.min(times.length, 10));
  return refuseTimes(draft, request, times) ?? { type: "done", body: { total: times.length, times: first } };
}

/** A future tick would not fire: the run with its id would exist. */
function refuseTimes(
  { now }: ScheduleDraft,
  { until }: BackfillRequest,
  { length }: readonly number[],
): CommandReply | undefined {
  const message =
    until > now
      ? "until: is in the future. A backfill starts the runs of past ticks; those to come start by themselves. Give a time that has passed."
      : `The range has more than ${HOST_LIMITS.backfillTicks} ticks, which is the limit. Divide it.`;
  return until > now || length > HOST_LIMITS.backfillTicks
    ? { type: "refused", code: "invalid_body", message }
    : undefined;
}

export function beginBackfill(draft: ScheduleDraft, request: BackfillRequest): CommandReply {
  const { header, config, now } = draft;
  if (header.backfill !== undefined) {
    const { next, total } = header.backfill;
    const message = `A backfill is in progress: ${next} of ${total} ticks are done. Wait for its end, or cancel it.`;
    return { type: "refused", code: "not_applicable", message };
  }
  const { id, from, until, overlap, rate, newestFirst, again, by } = request;
  const times = backfillTimes(config, from, until);
  const refusal = refuseTimes(draft, request, times);
  if (refusal !== undefined) return refusal;
  if (times.length === 0) return { type: "done", body: {} };
  const agains = header.agains + (again ? 1 : 0);
  const spacingMs = Math.ceil(60_000 / rate);
  const state = { id, from, until, total: times.length, next: 0, overlap, spacingMs, startAt: now, by };
  draft.put(BACKFILL_KEY, { v: FORMAT_VERSION, times: newestFirst ? times.toReversed() : times });
  draft.change({ agains, backfill: { ...state, ...(again ? { again: agains } : {}) } });
  return { type: "done", body: {} };
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
