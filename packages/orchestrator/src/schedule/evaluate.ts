/**
 * The decision about all ticks that are due (SCH5, SCH7).
 *
 * Owns: which ticks are due, and which of them were missed. What becomes of those that are not skipped here is decided in
 * `start-ticks.ts`.
 *
 * Invariants
 * - EV1 The watermark advances with the decision, whatever becomes of the ticks, so no tick is decided twice. If the clock was
 *   set back, it follows, and ticks whose runs were started before are left out (SCH12, `set-back.ts`).
 * - EV2 The work of one wake is bounded, however long the schedule was away.
 */
import { HOST_LIMITS, defined } from "@holdfast/protocol";
import type { ScheduleConfig } from "./config.ts";
import type { ScheduleDraft } from "./draft.ts";
import { followClock, startedAhead } from "./set-back.ts";
import { fireAtOf } from "./spread.ts";
import { nextTime } from "./times/next-time.ts";
import { runIdOf } from "./run-id.ts";

/** A tick that is due. */
interface DueTick {
  readonly nominal: number;
  readonly fireAt: number;
  readonly previous?: number | undefined;
}

/** Whether ticks fire. */
function isActive({ header }: ScheduleDraft): boolean {
  return header.orphanedAt === undefined && header.gone !== true;
}

/** Decides all ticks that are due, and sets the time of the next one. */
export function evaluate(draft: ScheduleDraft): void {
  followClock(draft);
  if (!isActive(draft)) return;
  const due = dueTicks(draft);
  const started = new Set(due.length === 0 ? [] : startedAhead(draft));
  const rest = due.length === HOST_LIMITS.scheduleDecided ? restOf(draft, due, started) : undefined;
  const open = due.filter(({ nominal }) => !started.has(nominal));
  if (open.length > 0 || rest !== undefined) decideAll(draft, open, rest);
  advance(draft, rest?.until ?? due.at(-1)?.nominal);
}

/** Sets the watermark and the next tick. `decided`: the newest decided tick of this wake. */
export function advance(draft: ScheduleDraft, decided?: number): void {
  const { config, header, now } = draft;
  const last = Math.max(header.watermark, decided ?? header.watermark);
  const next = isActive(draft) ? nextTime(config.times, last) : undefined;
  // A tick whose nominal time has passed is not decided before it fires (SCH3).
  const watermark = decided === undefined ? last : Math.max(last, Math.min(now, (next ?? Infinity) - 1));
  const nextAt = next === undefined || header.paused !== undefined ? undefined : fireAtOf(config, next);
  if (watermark === header.watermark && nextAt === header.nextAt) return;
  draft.change({ watermark, nextAt });
}

function dueTicks({ config, header, now }: ScheduleDraft): DueTick[] {
  const due: DueTick[] = [];
  let previous = header.lastNominal;
  let nominal = nextTime(config.times, header.watermark);
  while (nominal !== undefined && nominal <= now && due.length < HOST_LIMITS.scheduleDecided) {
    const fireAt = fireAtOf(config, nominal);
    if (fireAt > now) break;
    due.push({ nominal, fireAt, previous });
    previous = nominal;
    nominal = nextTime(config.times, nominal);
  }
  return due;
}

/** The ticks that are due after those that one wake decides one by one. */
interface Rest {
  readonly first: number;
  /** All ticks until this time are due. */
  readonly until: number;
  /** The newest one, unless it is too old for every policy, or has started a run while the clock was ahead. */
  readonly newest: DueTick | undefined;
}

function restOf(
  { config, now }: ScheduleDraft,
  due: readonly DueTick[],
  started: ReadonlySet<number>,
): Rest | undefined {
  const after = due.at(-1)?.nominal ?? now;
  const first = nextTime(config.times, after);
  if (first === undefined || fireAtOf(config, first) > now) return undefined;
  const oldest = now - HOST_LIMITS.scheduleLatestMs;
  for (const start of [now - 60_000, now - 3_600_000, oldest]) {
    const newest = newestDue(config, Math.max(after, start), now);
    if (newest === undefined) continue;
    const { nominal: until } = newest;
    return { first, until, newest: started.has(until) ? undefined : newest };
  }
  return { first, until: Math.max(first, oldest), newest: undefined };
}

function newestDue(config: ScheduleConfig, after: number, now: number): DueTick | undefined {
  let newest: DueTick | undefined;
  for (let last: number | undefined = after; ;) {
    last = nextTime(config.times, last);
    const fireAt = last === undefined ? Infinity : fireAtOf(config, last);
    if (last === undefined || fireAt > now) return newest;
    newest = { nominal: last, fireAt, previous: newest?.nominal };
  }
}

/** Decides the ticks in the order of their times. */
function decideAll(draft: ScheduleDraft, due: readonly DueTick[], rest: Rest | undefined): void {
  const { paused } = draft.header;
  const newest = rest?.newest ?? due.at(-1);
  const chosen = new Set(paused === undefined ? chosenOf(draft, due, newest) : []);
  const reason = paused === undefined ? "late" : "paused";
  const spacing = draft.config.catchUp === "all" ? HOST_LIMITS.scheduleCaughtUpMs : 0;
  let starts = 0;
  for (const tick of due) {
    if (chosen.has(tick)) wait(draft, tick, draft.now + spacing * starts++);
    else skip(draft, tick, reason);
  }
  if (rest !== undefined) {
    const isChosen = rest.newest !== undefined && chosen.has(rest.newest);
    if (!isChosen || rest.first < rest.until)
      skip(draft, { nominal: rest.first, fireAt: rest.first }, reason, rest.until);
    if (isChosen) wait(draft, rest.newest, draft.now);
  }
  if (newest === undefined) return;
  const lateMs = Math.max(0, draft.now - newest.fireAt);
  if (lateMs > HOST_LIMITS.lateTimerMs) draft.countLate();
  draft.change({ lastNominal: newest.nominal, lateMs });
}

/** The ticks that are not missed, or that the policy catches up (SCH7). */
function chosenOf(
  { config, now }: ScheduleDraft,
  due: readonly DueTick[],
  newest: DueTick | undefined,
): readonly DueTick[] {
  const { scheduleLateMs, scheduleLatestMs, scheduleCaughtUp } = HOST_LIMITS;
  switch (config.catchUp) {
    case "latest":
      return newest === undefined || now - newest.fireAt > scheduleLatestMs ? [] : [newest];
    case "all":
      return due.slice(0, scheduleCaughtUp);
    case "none":
      return [...due, ...(newest === undefined ? [] : [newest])].filter(({ fireAt }) => now - fireAt <= scheduleLateMs);
  }
}

function skip(draft: ScheduleDraft, tick: DueTick, reason: "late" | "paused", until?: number): void {
  const { nominal, fireAt } = tick;
  const range = until === undefined || until === nominal ? {} : { until };
  draft.decide({ kind: "tick", nominal, fireAt, outcome: { type: "skipped", reason, ...range } });
}

function wait(draft: ScheduleDraft, { nominal, fireAt, previous }: DueTick, startAt: number): void {
  const { id }: ScheduleConfig = draft.config;
  const { header } = draft;
  if (header.waiting.length >= HOST_LIMITS.scheduleQueue + HOST_LIMITS.scheduleCaughtUp) {
    const by = defined({ by: header.last?.runId });
    draft.decide({ kind: "tick", nominal, fireAt, outcome: { type: "skipped", reason: "overlap", ...by } });
    return;
  }
  const outcome = { type: "queued", runId: runIdOf(id, nominal) } as const;
  const seq = draft.decide({ kind: "tick", nominal, fireAt, outcome });
  draft.change({ waiting: [...draft.header.waiting, defined({ seq, nominal, fireAt, previous, startAt })] });
}
