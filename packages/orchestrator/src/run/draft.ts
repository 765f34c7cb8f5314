/**
 * A transition in the making: what it will write and want done.
 *
 * Owns: numbering of journal entries, the rule that the header is written at most once a transition, and the alarm.
 * Tells its neighbours: every decision file writes through it and through nothing else. The status is changed by
 * `lifecycle` alone.
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
  assert,
  isOutcome,
  isTerminal,
} from "@holdfast/protocol";
import type { WriteBatch } from "../host/store.ts";
import type { Effect, HostContext } from "./inputs.ts";
import { RECORD_KEY, type RowKind, type RunRows, isRow, journalKey } from "./rows.ts";
import { type RunHeader, nextAlarm } from "./run-header.ts";
import type { RunState } from "./run-state.ts";

export class Draft {
  readonly state: RunState;
  readonly context: HostContext;
  readonly now: number;
  /** What was journaled by this transition. */
  readonly entries: JournalEntry[] = [];
  /** Chunks that this transition adds to streams. */
  readonly chunks: Map<OperationId, number> = new Map();
  asked: number;
  /** The execution learns of what is journaled only after a while: outcomes are `quiet`. */
  remote = false;
  #header: RunHeader | undefined;
  #seq: number;
  #poked = false;
  #starts = false;
  #abort: AbortReason | undefined;
  #sends: "pending" | "all" | undefined;
  #indexes = false;
  #paused: boolean | undefined;
  readonly #puts = new Map<string, object>();
  readonly #deletes = new Set<string>();

  constructor(state: RunState, context: HostContext) {
    this.state = state;
    this.context = context;
    // Journal times never decrease, whatever the clock does (J1).
    this.now = Math.max(context.now, state.lastAt);
    this.#header = state.header;
    this.#seq = state.lastSeq;
    this.asked = state.asked;
  }

  /** Whether the host holds a live execution of the run. */
  get live(): boolean {
    return this.context.live;
  }

  /** The header as it stands in this transition. Only for inputs to a run that exists. */
  get header(): RunHeader {
    assert(this.#header !== undefined, "this input is for a run that exists");
    return this.#header;
  }

  /** The header, if there is a run. */
  get headerIfAny(): RunHeader | undefined {
    return this.#header;
  }

  /** Exchanges the whole header. For `trigger`, `lifecycle` and `index-mark`. */
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

  /** Takes over an entry of another run, under this run's numbering. */
  inherit(entry: JournalEntry): void {
    this.#seq += 1;
    this.put(journalKey(this.#seq), { ...entry, seq: this.#seq });
  }

  /** Whether this transition journaled the operation's outcome. */
  hasEnded(op: OperationId): boolean {
    return this.entries.some((entry) => entry.op === op && isOutcome(entry));
  }

  /** No room for one more journal entry (LIM1). */
  get journalIsFull(): boolean {
    return this.#seq >= this.context.limits.journalEntries;
  }

  /** Has the live execution updated although nothing may be journaled for it. */
  poke(): void {
    this.#poked = true;
  }

  /** Whether this transition has news for the live execution beside journal entries. */
  get pokes(): boolean {
    return this.#poked;
  }

  /** Has an execution of the header's epoch started; the live one is stopped. */
  start(): void {
    this.#starts = true;
  }

  /** Whether this transition starts an execution. */
  get starts(): boolean {
    return this.#starts;
  }

  /** Stops the live execution, if there is one. */
  abort(reason: AbortReason): void {
    this.#abort = reason;
  }

  /** The live execution learns whether an operator has paused the run. */
  notifyPaused(paused: boolean): void {
    this.#paused = paused;
  }

  /** Has the outbox sent after the commit. `again`: messages in flight too. */
  send(again: boolean): void {
    if (this.#sends !== "all") this.#sends = again ? "all" : "pending";
  }

  /** Has the index updated after the commit. */
  updateIndex(): void {
    this.#indexes = true;
  }

  /** What to commit. The header goes in only if it changed (H1), the alarm only if it moved (D2). */
  batch(alarmFired: boolean): WriteBatch {
    const before = this.state.header;
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
    const effects = this.#executionEffects(answered);
    if (this.#sends !== undefined) effects.push({ type: "send", again: this.#sends === "all" });
    if (this.#indexes) effects.push({ type: "index" });
    return effects;
  }

  #executionEffects(answered: boolean): Effect[] {
    if (this.#abort !== undefined && this.live && !this.#starts) return [{ type: "abort", reason: this.#abort }];
    if (this.#starts) {
      return this.live ? [{ type: "abort", reason: { type: "superseded" } }, { type: "start" }] : [{ type: "start" }];
    }
    const news = this.#poked || this.entries.length > 0 || this.#paused !== undefined;
    if (!this.live || answered || !news || this.#header === undefined || isTerminal(this.#header.status)) return [];
    const paused = this.#paused === undefined ? {} : { paused: this.#paused };
    return [{ type: "update", update: { entries: this.entries, now: this.now, ...paused } }];
  }
}
