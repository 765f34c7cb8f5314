/**
 * The decision about an input to a schedule while it is being made.
 *
 * Owns: the rows of ticks, their counts, and what the list of the tenant gets to know.
 */
import { FORMAT_VERSION, HOST_LIMITS, assert, defined } from "@holdfast/protocol";
import type { CoordinatorDraft, CoordinatorState } from "../host/coordinator.ts";
import type { ScheduleConfig } from "./config.ts";
import { digestOf } from "./digest.ts";
import type { ListMessage, ScheduleEntry, ProbeRun, RunStanding, ScheduleMessage } from "./messages.ts";
import {
  AHEAD_KEY,
  type AheadRow,
  BACKFILL_KEY,
  type BackfillRow,
  CONFIG_KEY,
  type ScheduleHeader,
  TICK_PREFIX,
  type TickOutcome,
  type TickRow,
  nextAlarm,
  readScheduleRow,
  tickKey,
} from "./rows.ts";

export interface ScheduleState extends CoordinatorState<ScheduleHeader> {
  config: ScheduleConfig | undefined;
}

/** The address of the list of a tenant's schedules. */
const LIST_ADDRESS = { kind: "schedules", name: "list" } as const;

/** What runs have answered. */
export type AskedRuns = ReadonlyMap<string, RunStanding>;

/** How often the list of the tenant gets a new due time of a frequent schedule, ms. */
const REPORT_MS = 300_000;

export class ScheduleDraft {
  readonly now: number;
  readonly asked: AskedRuns;
  readonly #draft: CoordinatorDraft<ScheduleState>;
  #config: ScheduleConfig | undefined;
  #last: ScheduleEntry["last"];

  constructor(draft: CoordinatorDraft<ScheduleState>, asked: AskedRuns) {
    this.now = draft.now;
    this.asked = asked;
    this.#draft = draft;
    this.#config = draft.state.config;
  }

  get header(): ScheduleHeader {
    return this.#draft.header;
  }

  get config(): ScheduleConfig {
    assert(this.#config !== undefined, "a schedule that exists has a declaration");
    return this.#config;
  }

  get exists(): boolean {
    return this.header.gone !== true;
  }

  change(patch: Partial<ScheduleHeader>): void {
    this.#draft.change(patch);
  }

  configure(config: ScheduleConfig): void {
    this.#config = config;
    this.put(CONFIG_KEY, { v: FORMAT_VERSION, ...config });
  }

  put(key: string, row: object): void {
    this.#draft.put(key, row);
  }

  delete(key: string): void {
    this.#draft.delete(key);
  }

  /** The row of a decision. */
  tick(seq: number): TickRow | undefined {
    return readScheduleRow(this.#draft, TICK_PREFIX, tickKey(seq).slice(TICK_PREFIX.length));
  }

  /** The times of the backfill in progress. */
  backfill(): BackfillRow | undefined {
    return readScheduleRow(this.#draft, BACKFILL_KEY);
  }

  /** The ticks that a clock which was ahead has started. */
  ahead(): AheadRow | undefined {
    return readScheduleRow(this.#draft, AHEAD_KEY);
  }

  /** The newest decisions before a position, the newest first. */
  ticks(limit: number, before: number = this.header.nextSeq): TickRow[] {
    const rows: TickRow[] = [];
    for (let seq = before - 1; seq > 0 && rows.length < limit; seq--) {
      const row = this.tick(seq);
      if (row === undefined) break;
      rows.push(row);
    }
    return rows;
  }

  /** Stores a decision about a tick, and deletes the oldest one above the bound. Returns its position. */
  decide(tick: Omit<TickRow, "v" | "seq" | "at">): number {
    const { nextSeq: seq } = this.header;
    this.put(tickKey(seq), defined({ v: FORMAT_VERSION, seq, at: this.now, ...tick }));
    this.change({ nextSeq: seq + 1 });
    if (seq > HOST_LIMITS.scheduleTicks) this.delete(tickKey(seq - HOST_LIMITS.scheduleTicks));
    this.#count(tick.outcome);
    this.#last = { nominal: tick.nominal, outcome: tick.outcome };
    return seq;
  }

  /** The newest decision that has started a run. It may be deleted already. */
  startOf(runId: string): TickRow | undefined {
    for (let seq = this.header.nextSeq - 1; seq > 0; seq--) {
      const row = this.tick(seq);
      if (row === undefined || (row.outcome.type === "fired" && row.outcome.runId === runId)) return row;
    }
    return undefined;
  }

  /** Replaces the outcome of a decision. It may be deleted already. */
  redecide(seq: number, outcome: TickOutcome): void {
    const row = this.tick(seq);
    const { counts } = this.header;
    if (row?.outcome.type === "fired") this.change({ counts: { ...counts, fired: counts.fired - 1 } });
    this.#count(outcome);
    if (row === undefined) return;
    this.put(tickKey(seq), { ...row, at: this.now, outcome });
    if (row.kind !== "manual") this.#last = { nominal: row.nominal, outcome };
  }

  /** Counts a tick that its platform decided late. */
  countLate(): void {
    this.#draft.count("lateTick");
  }

  #count(outcome: TickOutcome): void {
    const { counts } = this.header;
    if (outcome.type === "queued") return;
    this.#draft.count("tick", outcome.type === "skipped" ? `skipped_${outcome.reason}` : outcome.type);
    if (outcome.type !== "skipped") {
      this.change({ counts: { ...counts, [outcome.type]: counts[outcome.type] + 1 } });
      return;
    }
    const { reason } = outcome;
    const skipped = { ...counts.skipped, [reason]: (counts.skipped[reason] ?? 0) + 1 };
    this.change({ counts: { ...counts, skipped } });
  }

  postToRun(runId: string, message: Exclude<ScheduleMessage, ListMessage>): void {
    this.#draft.post({ kind: "run", name: runId }, message);
  }

  postToList(message: ListMessage): void {
    this.#draft.post(LIST_ADDRESS, message);
  }

  /** Asks a run for its status. */
  probe(runId: string): void {
    this.#draft.ask({ kind: "run", name: runId }, { type: "probeRun", runId } satisfies ProbeRun);
  }

  /** Erases all rows, if no message is pending. */
  eraseIfDone(): void {
    if (this.header.outbox.count === 0) this.#draft.erase();
  }

  /** Sends the list a new entry: reliably, because a caller would see the difference. */
  list(): void {
    const version = Math.max(this.header.listed.version + 1, this.now);
    this.change({ listed: defined({ version, dueAt: nextAlarm(this.header) }) });
    this.postToList({ type: "listed", entry: this.#entry() });
  }

  /**
   * Sends the list a later due time: of a frequent schedule at intervals. A lost one does no harm: the list wakes a schedule
   * whose last known due time has passed (SCH11).
   */
  report(): void {
    const { listed, nextAt } = this.header;
    if (nextAt === undefined || listed.dueAt === undefined || nextAt <= listed.dueAt) return;
    const version = Math.max(listed.version + 1, this.now);
    this.change({ listed: { version, dueAt: Math.max(nextAt, this.now + REPORT_MS) } });
    this.#draft.ask(LIST_ADDRESS, { type: "listed", entry: this.#entry() } satisfies ListMessage);
  }

  #newest(): ScheduleEntry["last"] {
    const [newest] = this.ticks(1);
    return newest && { nominal: newest.nominal, outcome: newest.outcome };
  }

  #entry(): ScheduleEntry {
    const { input, ...config } = this.config;
    const { source, rev, createdAt, paused, orphanedAt, listed } = this.header;
    return {
      id: config.id,
      ...listed,
      config,
      inputDigest: digestOf(input),
      source,
      createdAt,
      ...defined({
        rev,
        paused: paused && defined({ at: paused.at, by: paused.subject ?? paused.by, reason: paused.reason }),
        orphanedAt,
        last: this.#last ?? this.#newest(),
      }),
    };
  }
}
