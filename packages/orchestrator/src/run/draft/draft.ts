/**
 * The result of a transition while it is being computed: writes and effects.
 *
 * Owns: the numbers of journal entries, the alarm, and the rule that a transition writes the header at most once.
 * Interface: each file that decides writes through a draft only. Only `lifecycle` changes the status.
 *
 * Invariants
 * - D1 Nothing is written unless something changed: a refusal yields an empty batch.
 * - D2 The batch carries the alarm whenever the run's next due time changed (DUR5, H2).
 */
import {
  type AbortReason,
  type EntryBody,
  FORMAT_VERSION,
  type JournalEntry,
  type OperationId,
  type RequestPlace,
  assert,
  isOutcome,
  isTerminal,
} from "@holdfast/protocol";
import type { WriteBatch } from "../../host/store.ts";
import { admittedSteps } from "../state/hold.ts";
import type { Effect, HostContext } from "./inputs.ts";
import { RECORD_KEY, type RowKind, type RunRows, isRow, journalKey } from "../state/rows.ts";
import { type Release, type RunHeader, nextAlarm } from "../state/run-header.ts";
import type { OpenStream, RunState } from "../state/run-state.ts";
import { storeStreams } from "../state/stream-rows.ts";
import { storeWaits } from "../state/wait-rows.ts";

export class Draft {
  readonly state: RunState;
  readonly context: HostContext;
  /** The time of the clock, ms since 1970. Timers are set and compared on it. It may be before stored times. */
  readonly now: number;
  /** The journal entries of this transition. */
  readonly entries: JournalEntry[] = [];
  /** The operations of these entries, and whether the entries have the outcome. */
  readonly #journaled = new Map<OperationId, boolean>();
  /** Waits that open later in this transition and open released (WAIT11). */
  readonly releases: Map<OperationId, Release> = new Map();
  /** The streams that this transition starts or adds chunks to. */
  readonly openStreams: Map<OperationId, OpenStream> = new Map();
  asked: number;
  /** The event that is applied: its entries have the place of the request. */
  event: ({ readonly op: OperationId } & RequestPlace) | undefined;
  /** Whether the answer to this report takes time. Its outcomes are marked `quiet` then. */
  remote = false;
  #at: number;
  #header: RunHeader | undefined;
  #seq: number;
  #updates = false;
  #starts = false;
  #replaces = false;
  #abort: AbortReason | undefined;
  #sends: "pending" | "all" | undefined;
  #indexes = false;
  #pings = false;
  #describes = false;
  #searches = false;
  #paused: boolean | undefined;
  readonly #puts = new Map<string, object>();
  readonly #deletes = new Set<string>();

  constructor(state: RunState, context: HostContext) {
    this.state = state;
    this.context = context;
    this.now = context.now;
    this.#at = Math.max(context.now, state.lastAt);
    this.#header = state.header;
    this.#seq = state.lastSeq;
    this.asked = state.asked;
  }

  /** The time of the journal, ms since 1970: that of the clock, and never before a stored time, whatever the clock does (J1). */
  get at(): number {
    return this.#at;
  }

  /** Advances the time of the journal. */
  advanceTo(at: number): void {
    this.#at = Math.max(this.#at, at);
  }

  /** Whether the clock was set back: it shows a time before the newest stored one. */
  get isClockLate(): boolean {
    return this.now < this.#at;
  }

  /** Whether the host holds a live execution of the run. */
  get live(): boolean {
    return this.context.live;
  }

  /** The header with the changes of this transition. Only for inputs to a run that exists. */
  get header(): RunHeader {
    assert(this.#header !== undefined, "this input is for a run that exists");
    return this.#header;
  }

  /** The header, if the run exists. */
  get headerIfAny(): RunHeader | undefined {
    return this.#header;
  }

  /** Replaces the whole header. Only for `trigger` and `lifecycle`. */
  replace(header: RunHeader): void {
    this.#header = header;
  }

  change(patch: Partial<Omit<RunHeader, "status">>): void {
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

  /** The row under this key, which is stored or put by this transition. */
  read<K extends RowKind>(kind: K, rest: string): RunRows[K] {
    const key = kind + rest;
    const row = this.#puts.get(key) ?? this.state.store.get(key);
    assert(isRow(kind, key, row), `the row ${key} is there`);
    return row;
  }

  /** Appends a journal entry about an operation. */
  append(body: EntryBody, nth: number, quiet = false): JournalEntry {
    this.#seq += 1;
    const place = {
      v: FORMAT_VERSION,
      seq: this.#seq,
      at: this.#at,
      asked: this.asked,
      nth,
      ...this.#placeOf(body.op, nth),
    };
    const late = quiet || (this.remote && isOutcome(body));
    const entry: JournalEntry = { ...place, ...(late ? { quiet: true as const } : {}), ...body };
    this.entries.push(entry);
    this.#journaled.set(body.op, this.hasEnded(body.op) || isOutcome(body));
    this.put(journalKey(entry.seq), entry);
    return entry;
  }

  #placeOf(op: OperationId, nth: number): RequestPlace {
    const { event } = this;
    if (event?.op !== op || this.#header?.recordsPlaces !== true) return {};
    const { after, use } = event;
    return { ...(after === undefined || nth === 1 ? {} : { after }), ...(use === undefined ? {} : { use }) };
  }

  /** Appends an entry of another run under the next number. */
  inherit(entry: JournalEntry): void {
    this.#seq += 1;
    this.put(journalKey(this.#seq), { ...entry, seq: this.#seq });
  }

  /** Whether this transition journaled the operation's outcome. */
  hasEnded(op: OperationId): boolean {
    return this.#journaled.get(op) === true;
  }

  /** Whether this transition journaled an entry about the operation. */
  hasEntry(op: OperationId): boolean {
    return this.#journaled.has(op);
  }

  /** Whether the journal has reached its limit, and `more` entries beside (LIM1). */
  isJournalFull(more: number): boolean {
    return this.#seq >= this.context.limits.journalEntries + more;
  }

  /** Sends an update to the live execution even if this transition journals nothing. */
  requestUpdate(): void {
    this.#updates = true;
  }

  /** Whether this transition sends an update to the live execution even without journal entries. */
  get updates(): boolean {
    return this.#updates;
  }

  /** Starts an execution of the header's epoch. The live one is stopped. */
  start(): void {
    this.#starts = true;
  }

  /** The execution that starts replaces one that was lost. */
  replacesLost(): void {
    this.#replaces = true;
  }

  /** Whether this transition starts an execution. */
  get starts(): boolean {
    return this.#starts;
  }

  /** Stops the live execution, if there is one. */
  abort(reason: AbortReason): void {
    this.#abort = reason;
  }

  /** Notifies the live execution whether an operator has paused the run. */
  notifyPaused(paused: boolean): void {
    this.#paused = paused;
  }

  /** Sends the messages of the outbox after the commit. `again`: messages in flight, too. */
  send(again: boolean): void {
    if (this.#sends !== "all") this.#sends = again ? "all" : "pending";
  }

  /** Asks the live execution for a sign of life after the commit (DUR11). */
  ping(): void {
    this.#pings = true;
  }

  /** Asks the step handler for the description of the workflow after the commit (L9). */
  describe(): void {
    this.#describes = true;
  }

  /** Searches after the commit for runs that wait for each other (L10). */
  findDeadlock(): void {
    this.#searches = true;
  }

  /** Sends a row to the index after the commit. */
  updateIndex(): void {
    this.#indexes = true;
  }

  /** Returns the batch to commit. It contains the header only if it changed (H1), and the alarm only if it moved (D2). */
  batch(alarmFired: boolean): WriteBatch {
    const before = this.state.header;
    const header = this.#header;
    if (header === undefined || (header === before && !alarmFired)) return { puts: this.#puts, deletes: this.#deletes };
    const alarm = nextAlarm(header);
    const known = before === undefined || alarmFired ? null : nextAlarm(before);
    if (header !== before) {
      const { headerWaits: max, headerStreams } = this.context.limits;
      const first = storeStreams((key, row) => this.put(key, row), header, this.state, headerStreams);
      const stored = first && storeWaits(this, first, { before: this.state.waitRows, known: before?.waits ?? [], max });
      if (stored !== undefined) this.#puts.set(RECORD_KEY, { ...stored, asked: this.asked, updatedAt: this.#at });
    }
    return { puts: this.#puts, deletes: this.#deletes, ...(alarm === known ? {} : { alarm }) };
  }

  /** Returns the effects after the commit. `answered`: the live execution gets the entries as the answer to its report. */
  effects(answered: boolean): Effect[] {
    const effects = this.#executionEffects(answered);
    if (this.#sends !== undefined) effects.push({ type: "send", again: this.#sends === "all" });
    if (this.#indexes) effects.push({ type: "index" });
    if (this.#pings) effects.push({ type: "ping" });
    if (this.#describes) effects.push({ type: "describe" });
    if (this.#searches) effects.push({ type: "findDeadlock" });
    return effects;
  }

  #executionEffects(answered: boolean): Effect[] {
    const ended = this.#header === undefined || isTerminal(this.#header.status);
    // A timer may have started an execution before the input ended the run.
    const starts = this.#starts && !ended;
    const reason = starts ? ({ type: "superseded" } as const) : this.#abort;
    const aborts: Effect[] = this.live && reason !== undefined ? [{ type: "abort", reason }] : [];
    if (starts) return [...aborts, { type: "start", ...(this.#replaces ? { replaces: true } : {}) }];
    if (aborts.length > 0) return aborts;
    const updates = this.#updates || this.entries.length > 0 || this.#paused !== undefined;
    // An answer does not say that a pause is over.
    const isAnswered = answered && this.#paused === undefined;
    if (!this.live || isAnswered || !updates || ended) return [];
    const paused = this.#paused === undefined ? {} : { paused: this.#paused };
    const admitted = this.#header === undefined ? {} : admittedSteps(this.#header, this.now);
    return [{ type: "update", update: { entries: this.entries, now: this.#at, ...paused, ...admitted } }];
  }
}
