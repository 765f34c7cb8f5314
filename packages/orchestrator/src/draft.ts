/**
 * A transition in the making: what it will write and want done.
 *
 * Owns: numbering of journal entries, the rule that the header is written at most once a transition, and the alarm.
 * Tells its neighbours: every decision file (`trigger`, `deliver`, `report`, `timers`, `cancel`) writes through it and
 * through nothing else.
 *
 * Invariants
 * - D1 Nothing is written unless something changed: a refusal yields an empty batch.
 * - D2 The batch carries the alarm whenever the run's next due time changed (DUR5, H2).
 */
import {
  type AbortReason,
  type ChildOutcome,
  ENCODED_UNDEFINED,
  type EntryBody,
  type ErrorValue,
  FORMAT_VERSION,
  type JournalEntry,
  LIMITS,
  type OperationId,
  type RunStatus,
  errorValue,
  isOutcome,
  isTerminal,
} from "@holdfast/protocol";
import type { Circumstances, Effect } from "./inputs.ts";
import type { RunMessage } from "./messages.ts";
import { type RunError, type RunHeader, nextAlarm } from "./run-header.ts";
import { oweIndex } from "./index-mark.ts";
import type { AuditRow, OutboxRow, RunState, TokenRow } from "./run-state.ts";
import { RECORD_KEY, type WriteBatch, auditKey, journalKey, outboxKey, tokenKey } from "./store.ts";

export class Draft {
  readonly state: RunState;
  readonly now: number;
  readonly live: boolean;
  readonly canSend: boolean;
  readonly indexes: boolean;
  readonly #retentionMs: number | undefined;
  /** What was journaled by this transition. */
  readonly entries: JournalEntry[] = [];
  asked: number;
  /** The execution learns of what is journaled only after a while: outcomes are quiet. */
  remote = false;
  #header: RunHeader | undefined;
  #seq: number;
  #poke = false;
  #start = false;
  #abort: AbortReason | undefined;
  #send = false;
  #tellIndex = false;
  readonly #chunks = new Map<OperationId, number>();
  #paused: boolean | undefined;
  readonly #puts = new Map<string, object>();
  readonly #deletes = new Set<string>();

  constructor(state: RunState, { now, live, canSend, indexes = false, retentionMs }: Circumstances) {
    this.state = state;
    // Journal times never decrease, whatever the clock does (J1).
    this.now = Math.max(now, state.lastAt);
    this.live = live;
    this.canSend = canSend;
    this.indexes = indexes;
    this.#retentionMs = retentionMs;
    this.#header = state.header;
    this.#seq = state.lastSeq;
    this.asked = state.asked;
  }

  /** The header as it stands in this transition. Only for inputs to a run that exists. */
  get header(): RunHeader {
    return this.#header as RunHeader;
  }

  create(header: RunHeader): void {
    this.#header = header;
  }

  change(patch: Partial<RunHeader>): void {
    this.#header = { ...this.header, ...patch };
  }

  put(key: string, row: object): void {
    this.#deletes.delete(key);
    this.#puts.set(key, row);
  }

  delete(key: string): void {
    this.#puts.delete(key);
    this.#deletes.add(key);
  }

  /** Journals something about an operation. */
  append(body: EntryBody, nth: number, quiet = false): JournalEntry {
    this.#seq += 1;
    const place = { v: FORMAT_VERSION, seq: this.#seq, at: this.now, asked: this.asked, nth };
    const late = quiet || (this.remote && isOutcome(body));
    const entry: JournalEntry = { ...place, ...(late ? { quiet: true as const } : {}), ...body };
    this.entries.push(entry);
    this.put(journalKey(entry.seq), entry);
    return entry;
  }

  /** Whether this transition journaled the operation's outcome. */
  hasEnded(op: OperationId): boolean {
    return this.entries.some((entry) => entry.op === op && isOutcome(entry));
  }

  /** Takes over an entry of another run, under this run's numbering. */
  inherit(entry: JournalEntry): void {
    this.#seq += 1;
    this.put(journalKey(this.#seq), { ...entry, seq: this.#seq });
  }

  /** Room for one more journal entry (LIM1). */
  get journalIsFull(): boolean {
    return this.#seq >= LIMITS.journalEntries;
  }

  /** Makes sure that the run executes: tells the live execution, or begins one. */
  wake(): void {
    const { header } = this;
    const wasRunning = header.status === "running";
    if (!wasRunning) this.change({ status: "running", watchdogAt: this.now + LIMITS.watchdogMsMin });
    if (header.startedAt === undefined) this.#startClock();
    // A running run without a live execution lost it: that is for `recovery`, which counts.
    if (this.live) this.#poke = true;
    else if (!wasRunning) this.begin();
  }

  #startClock(): void {
    const { timeoutMs } = this.header;
    const deadlineAt = timeoutMs === undefined ? undefined : this.now + timeoutMs;
    this.change({ startedAt: this.now, startAt: undefined, deadlineAt });
  }

  /** A run that was running when it was paused runs again: with the execution that is live, or with a new one. */
  goOnRunning(): void {
    this.change({ status: "running", watchdogAt: this.now + LIMITS.watchdogMsMin });
    if (!this.live && !this.#start) this.begin();
  }

  /** Whether this transition has news for the live execution beside journal entries. */
  get pokes(): boolean {
    return this.#poke;
  }

  /** Whether this transition begins an execution. */
  get begins(): boolean {
    return this.#start;
  }

  /** Begins an execution under a new epoch, from the journal. Whatever ran before is superseded (DUR6). */
  begin(): void {
    this.#start = true;
    const { dispatch, epoch } = this.header;
    this.change({
      epoch: epoch + 1,
      watchdogAt: this.now + LIMITS.watchdogMsMin,
      ...(dispatch === undefined ? {} : { dispatch: { ...dispatch, retryAt: undefined } }),
    });
  }

  /** Stops the live execution, if there is one. */
  abort(reason: AbortReason): void {
    this.#abort = reason;
  }

  /** Chunks of a stream that this transition adds. */
  chunksOf(op: OperationId): number {
    return this.#chunks.get(op) ?? 0;
  }

  countChunks(op: OperationId, count: number): void {
    this.#chunks.set(op, this.chunksOf(op) + count);
  }

  /** Puts a message to another run into the outbox: it is sent until it is acknowledged. */
  post(to: string, message: RunMessage): void {
    const { outbox } = this.header;
    const row: OutboxRow = { v: FORMAT_VERSION, to, message };
    this.put(outboxKey(outbox.next), row);
    const retryAt = outbox.retryAt ?? this.now + LIMITS.watchdogMsMin;
    this.change({ outbox: { ...outbox, count: outbox.count + 1, next: outbox.next + 1, retryAt } });
    this.#send = true;
  }

  /** A token is answered once (WAIT7). One that this transition issued may be closed by it too. */
  closeToken(tokenId: string, state: TokenRow["state"]): void {
    const key = tokenKey(tokenId);
    const row = (this.#puts.get(key) ?? this.state.store.get(key)) as TokenRow;
    this.put(key, { ...row, state } satisfies TokenRow);
  }

  /** Notes what a caller did. A ring: the newest rows take the places of the oldest. */
  audit(action: string, by: string, detail: string | undefined): void {
    const { audited = 0 } = this.header;
    const row: AuditRow = {
      v: FORMAT_VERSION,
      at: this.now,
      action,
      by,
      ...(detail === undefined ? {} : { detail }),
    };
    this.put(auditKey(audited % LIMITS.auditRows), row);
    this.change({ audited: audited + 1 });
  }

  /** Has the outbox sent after the commit. */
  sendOutbox(): void {
    this.#send = true;
  }

  /** Has the index told after the commit. */
  tellIndex(): void {
    this.#tellIndex = true;
  }

  /** Ends the run, for good (RUN1). Whoever speaks for it afterwards is refused (DUR6); who must know is told. */
  end(status: RunStatus, patch: Partial<RunHeader>): void {
    this.cancelChildren();
    this.change({
      ...patch,
      status,
      endedAt: this.now,
      startAt: undefined,
      watchdogAt: undefined,
      dispatch: undefined,
      paused: undefined,
      waits: [],
      retryAt: undefined,
      expiresAt: this.#retentionMs === undefined ? undefined : this.now + this.#retentionMs,
    });
    const { parent, error, output = ENCODED_UNDEFINED, id } = this.header;
    if (parent === undefined || parent.detached) return;
    const failure = error ?? errorValue("CHILD_RUN_FAILED", `The run ended ${status}.`);
    const outcome: ChildOutcome =
      status === "completed" ? { status, runId: id, output } : { status, runId: id, error: plainError(failure) };
    this.post(parent.runId, { type: "childEnded", op: parent.op, outcome });
  }

  /** Attached children do not outlive their parent, nor its turn to undoing (CHILD3). */
  cancelChildren(): void {
    for (const wait of this.header.waits) {
      if (wait.runId === undefined) continue;
      this.post(wait.runId, { type: "cancel", reason: `its parent ${this.header.id} has stopped` });
    }
  }

  /** Stops the run until an operator acts; the journal stays as it is. */
  pause(error: RunHeader["error"]): void {
    const { status } = this.header;
    const from = status === "pending" || status === "waiting" ? status : "running";
    const by = error === undefined ? "operator" : "engine";
    this.change({
      status: "paused",
      paused: { from, at: this.now, by },
      ...(error === undefined ? {} : { error }),
      watchdogAt: undefined,
      dispatch: undefined,
    });
    if (by === "operator") this.#paused = true;
  }

  /** The live execution learns that the run is no longer paused. */
  tellUnpaused(): void {
    this.#paused = false;
  }

  /** What to commit. The header goes in only if it changed (H1), the alarm only if it moved (D2). */
  batch(alarmFired: boolean): WriteBatch {
    const before = this.state.header;
    if (this.indexes && this.#header !== undefined && this.#header !== before) {
      const [owing, atOnce] = oweIndex(before, this.#header, this.now);
      this.#header = owing;
      this.#tellIndex ||= atOnce;
    }
    const header = this.#header;
    if (header === undefined || (header === before && !alarmFired)) return { puts: this.#puts, deletes: this.#deletes };
    const alarm = nextAlarm(header);
    const known = before === undefined || alarmFired ? null : nextAlarm(before);
    if (header !== before) {
      this.#puts.set(RECORD_KEY, { ...header, asked: this.asked, updatedAt: this.now });
    }
    return { puts: this.#puts, deletes: this.#deletes, ...(alarm === known ? {} : { alarm }) };
  }

  /** What the host does after the commit. `answered`: the entries reach the live execution as an answer instead. */
  effects(answered: boolean): Effect[] {
    const execution = this.#executionEffects(answered);
    return [
      ...execution,
      ...(this.#send ? [{ type: "send" } as const] : []),
      ...(this.#tellIndex ? [{ type: "index" } as const] : []),
    ];
  }

  #executionEffects(answered: boolean): Effect[] {
    if (this.#abort !== undefined && this.live && !this.#start) return [{ type: "abort", reason: this.#abort }];
    if (this.#start) {
      return this.live ? [{ type: "abort", reason: { type: "superseded" } }, { type: "start" }] : [{ type: "start" }];
    }
    const news = this.#poke || this.entries.length > 0 || this.#paused !== undefined;
    if (!this.live || answered || !news || this.#header === undefined || isTerminal(this.#header.status)) return [];
    const paused = this.#paused === undefined ? {} : { paused: this.#paused };
    return [{ type: "update", update: { entries: this.entries, now: this.now, ...paused } }];
  }
}

/** Without what is this run's own: which step it was, and whose fault. */
function plainError(error: ErrorValue & Partial<RunError>): ErrorValue {
  const { step: _step, category: _category, ...plain } = error;
  return plain;
}
