/**
 * Starts the ticks that are not skipped, one after the other (SCH6).
 *
 * Owns: the overlap with the run of an earlier tick, the message that starts a run, and the pause after failed runs (SCH8).
 *
 * Invariants
 * - ST1 A run counts as running from the commit that starts it until it was asked and has ended. While it does not answer,
 *   nothing is decided, and it is asked again.
 */
import { defined, isTerminal } from "@holdfast/protocol";
import { resendDelayMs } from "../host/outbox.ts";
import type { ChildTrigger } from "../run/state/messages.ts";
import type { AskedRuns, ScheduleDraft } from "./draft.ts";
import type { RunStanding } from "./messages.ts";
import { runIdOf } from "./run-id.ts";
import type { Asking, LastRun, TickKind, WaitingTick } from "./rows.ts";
import { nextTimes } from "./times/next-time.ts";

/** How many times after the tick a run knows. */
const NEXT_TIMES = 5;

/** The first delay before a run is asked again whether it has ended, ms. */
const ASK_MS_MIN = 1_000;
const ASK_MS_MAX = 60_000;

/** What is known of an earlier run. */
export type Standing = "ended" | "running" | "unknown";

export function startWaiting(draft: ScheduleDraft): void {
  if (draft.header.paused !== undefined) return;
  noteEnd(draft);
  while (draft.header.paused === undefined) {
    const [first] = draft.header.waiting;
    if (first === undefined || first.startAt > draft.now) break;
    const standing = standingOf(draft.header.last, draft.asked);
    if (standing === "ended" || mayOverlap(draft)) start(draft, first);
    else if (standing === "unknown") return askAgain(draft);
    else if (!overlaps(draft, first)) return askAgain(draft);
  }
  if (draft.header.waiting.length === 0 && draft.header.asking !== undefined) draft.change({ asking: undefined });
}

/** Whether the run of an earlier tick makes no difference. Whether it has failed may make one. */
function mayOverlap({ config, header, asked }: ScheduleDraft): boolean {
  if (config.overlap !== "allow") return false;
  const { last } = header;
  return config.pauseAfter === undefined || last?.state !== "running" || asked.has(last.runId);
}

export function standingOf(last: LastRun | undefined, asked: AskedRuns): Standing {
  if (last === undefined || last.state === "ended") return "ended";
  const answer = asked.get(last.runId);
  // A run whose start is not acknowledged may not exist yet.
  if (last.state === "starting") return "running";
  if (answer === undefined || answer === "unreachable") return "unknown";
  return answer === "gone" || isTerminal(answer) ? "ended" : "running";
}

/** Notes that the newest run has ended, and pauses the schedule after too many failures (SCH8). */
function noteEnd(draft: ScheduleDraft): void {
  const { last, failures } = draft.header;
  if (last === undefined || last.state === "ended" || standingOf(last, draft.asked) !== "ended") return;
  const status = draft.asked.get(last.runId);
  const failed = isFailure(status) ? failures + 1 : status === "completed" ? 0 : failures;
  draft.change({ last: { ...last, state: "ended" }, failures: failed, asking: undefined });
  const { pauseAfter } = draft.config;
  if (pauseAfter === undefined || failed < pauseAfter) return;
  const reason = `${failed} ${failed === 1 ? "run has failed" : "runs in a row have failed"}. The last one is ${last.runId}.`;
  pauseSchedule(draft, "failures", undefined, reason);
}

/** A limit did not admit the run of a tick: the tick is skipped, and the run counts as no failure (SCH5). */
export function noteNotAdmitted(draft: ScheduleDraft, runId: string): void {
  const tick = draft.startOf(runId);
  if (tick !== undefined) draft.redecide(tick.seq, { type: "skipped", reason: "limit", by: runId });
  const { last, backfill } = draft.header;
  if (last?.runId === runId) draft.change({ last: { ...last, state: "ended" }, asking: undefined });
  if (backfill?.last?.runId === runId)
    draft.change({ backfill: { ...backfill, last: { ...backfill.last, state: "ended" } } });
}

function isFailure(status: RunStanding | undefined): boolean {
  return status === "failed" || status === "compensated" || status === "compensation_failed";
}

/** Pauses the schedule. The ticks that wait are skipped. */
export function pauseSchedule(
  draft: ScheduleDraft,
  by: "operator" | "failures",
  subject: string | undefined,
  reason: string | undefined,
): void {
  const { watermark, waiting } = draft.header;
  // `resume` with `catchUp` decides again what waits now.
  const oldest = Math.min(watermark, ...waiting.map(({ nominal }) => nominal - 1));
  dropWaiting(draft, "paused");
  draft.change({
    paused: { at: draft.now, by, ...defined({ subject, reason }), watermark: oldest },
    nextAt: undefined,
    ...(by === "failures" ? { failures: 0 } : {}),
  });
  draft.list();
}

/** Skips all ticks that wait. */
export function dropWaiting(draft: ScheduleDraft, reason: "paused" | "ended"): void {
  for (const { seq } of draft.header.waiting) draft.redecide(seq, { type: "skipped", reason });
  draft.change({ waiting: [], asking: undefined });
}

/**
 * Applies the policy to a tick whose earlier run has not ended. Returns whether the next tick may be looked at: this one is
 * skipped then.
 */
function overlaps(draft: ScheduleDraft, tick: WaitingTick): boolean {
  const { overlap } = draft.config;
  const by = draft.header.last?.runId ?? "";
  if (overlap === "skip") {
    drop(draft, tick, by);
    return true;
  }
  const due = draft.header.waiting.filter(({ startAt }) => startAt <= draft.now);
  const max = overlap === "replace" ? 1 : draft.config.queueMax;
  // `queue` keeps the ticks that have waited longest, `replace` the newest one.
  const dropped = overlap === "replace" ? due.slice(0, -max) : due.slice(max);
  for (const one of dropped) drop(draft, one, by);
  if (overlap === "replace") cancelLast(draft);
  const waiting = draft.header.waiting.map((one) => (due.includes(one) ? { ...one, queued: true as const } : one));
  if (waiting.some((one, nth) => one.queued !== draft.header.waiting[nth]?.queued)) draft.change({ waiting });
  return false;
}

function drop(draft: ScheduleDraft, { seq }: WaitingTick, by: string): void {
  draft.redecide(seq, { type: "skipped", reason: "overlap", by });
  draft.change({ waiting: draft.header.waiting.filter((one) => one.seq !== seq) });
}

function cancelLast(draft: ScheduleDraft): void {
  const { last } = draft.header;
  if (last === undefined || last.cancelled === true) return;
  draft.change({ last: { ...last, cancelled: true } });
  const reason = `A newer tick of the schedule ${draft.config.id} replaces the run.`;
  draft.postToRun(last.runId, { type: "cancel", reason });
}

/** Sets the time at which the earlier run is asked (again). */
function askAgain(draft: ScheduleDraft): void {
  const asking = nextAsk(draft, draft.header.asking, draft.header.last);
  if (asking !== draft.header.asking) draft.change({ asking });
}

/** When a run that has not ended, or has not answered, is asked again: later and later. */
export function nextAsk(draft: ScheduleDraft, asking: Asking | undefined, last: LastRun | undefined): Asking {
  if (last === undefined) return { at: draft.now, count: 0 };
  const answer = draft.asked.get(last.runId);
  // It is asked by the next alarm, or was asked and has not answered.
  if (answer === undefined && last.state === "running") return asking ?? { at: draft.now, count: 0 };
  const count = (asking?.count ?? 0) + 1;
  const delay =
    answer === "unreachable" ? resendDelayMs(count) : Math.min(ASK_MS_MIN * 2 ** Math.min(count - 1, 10), ASK_MS_MAX);
  return { at: draft.now + delay, count };
}

function start(draft: ScheduleDraft, tick: WaitingTick): void {
  const { seq, nominal, fireAt, previous } = tick;
  const runId = runIdOf(draft.config.id, nominal);
  draft.redecide(seq, { type: "fired", runId });
  draft.change({
    waiting: draft.header.waiting.filter((one) => one.seq !== seq),
    last: { runId, seq, nominal, state: "starting" },
    asking: undefined,
  });
  postStart(draft, { runId, seq, kind: "tick", nominal, fireAt, previous });
}

interface Started {
  readonly runId: string;
  readonly seq: number;
  readonly kind: TickKind;
  readonly nominal: number;
  readonly fireAt: number;
  readonly previous?: number | undefined;
}

/** Posts the message that starts a run. A repeated one starts nothing. */
export function postStart(draft: ScheduleDraft, { runId, seq, kind, nominal, fireAt, previous }: Started): void {
  const { id, workflowId, workflowVersion, input, tags, times } = draft.config;
  const { self, environment, baseUrl } = draft.header;
  const next = nextTimes(times, nominal, NEXT_TIMES);
  const trigger: ChildTrigger = {
    runId,
    workflowId,
    input,
    tags,
    environment,
    triggeredBy: `schedule:${id}`,
    schedule: { id, kind, nominal, fireAt, next, ...defined({ previous }) },
    ...defined({ workflowVersion, tenantId: self.tenantId, baseUrl }),
  };
  draft.postToRun(runId, { type: "trigger", trigger, op: `tick/${seq}/${id}` });
}

/** How long ticks that are due wait for the answer of the earlier run before they are decided without it, ms. */
const ANSWER_MS = 5_000;

/**
 * Asks the earlier run before its end is needed. Returns whether the decision about the ticks that are due waits for the
 * answer, so that it is one commit.
 */
export function asksFirst(draft: ScheduleDraft): boolean {
  const { header, config, now } = draft;
  const { last, waiting, nextAt, asking } = header;
  const isNew = nextAt !== undefined && nextAt <= now;
  const isDue = isNew || waiting.some(({ startAt }) => startAt <= now);
  const matters = config.overlap !== "allow" || config.pauseAfter !== undefined;
  if (!isDue || !matters || last?.state !== "running" || draft.asked.has(last.runId)) return false;
  // Each tick asks, however rarely the run is asked between ticks: the queue has a bound.
  if ((asking?.at ?? 0) > now && (asking?.holds === true || !isNew)) return asking?.holds === true;
  draft.probe(last.runId);
  // No answer in time: what is due is decided, and waits.
  const holds = asking === undefined && waiting.length === 0;
  draft.change({ asking: { at: now + ANSWER_MS, count: asking?.count ?? 0, ...(holds ? { holds } : {}) } });
  return holds;
}

/** The same for the last run of a backfill. */
export function asksBackfill(draft: ScheduleDraft): void {
  const { backfill } = draft.header;
  const { last, asking, startAt = Infinity, overlap } = backfill ?? {};
  if (backfill === undefined || last?.state !== "running" || overlap === "allow" || startAt > draft.now) return;
  if (draft.asked.has(last.runId) || (asking?.at ?? 0) > draft.now) return;
  draft.probe(last.runId);
  draft.change({ backfill: { ...backfill, asking: { at: draft.now + ANSWER_MS, count: asking?.count ?? 0 } } });
}
