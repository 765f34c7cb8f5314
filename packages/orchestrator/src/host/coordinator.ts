/**
 * A coordinator: an object that is not a run, such as the gate of a limit, a schedule or a topic. Pure.
 *
 * Owns: what each kind of coordinator supplies, and the decisions that all share: the header, the outbox and the alarm.
 * `coordinator-host.ts` is the shell around it.
 *
 * A kind is a `CoordinatorMachine`. Its state is its rows: the row `header`, rows of its own with keys of its own, and the
 * messages of the outbox. It decides through a `CoordinatorDraft` only.
 *
 * Invariants
 * - CO1 Every change, its messages and the alarm are one commit. A message stays in the outbox until its receiver answers.
 * - CO2 `alarmOf(header)` is always the alarm of the object (DUR5). The header is written only if it changes.
 * - CO3 An object without rows has no alarm. A decision that stores a row stores the header too.
 * - CO4 After the clock was set back, no timer is further away than its duration: the next input, a read included, moves
 *   them back with the clock (WAIT1).
 */
import {
  type Address,
  type AddressKind,
  FORMAT_VERSION,
  type StoredAddress,
  assert,
  toStoredAddress,
} from "@holdfast/protocol";
import { type ActsState, type RequestKey, findAct, noteAct } from "./acts.ts";
import type { Decision, Machine } from "./machine-host.ts";
import { EMPTY_OUTBOX, type OutboxState, posted, removed, settled } from "./outbox.ts";
import type { SendResult } from "./outbox-sender.ts";
import type { ListOptions, StoreReader, WriteBatch } from "./store.ts";

export const COORDINATOR_HEADER = "header";
export const COORDINATOR_OUTBOX = "outbox/";

/** Which coordinator an object is. Its name is unique for its kind, in its tenant or in the whole deployment. */
export interface CoordinatorSelf {
  readonly kind: AddressKind;
  readonly name: string;
  readonly tenantId?: string | undefined;
  readonly scope?: "deployment" | undefined;
}

/** The fields that the header of each kind has. A kind adds its own. */
export interface CoordinatorHeader {
  readonly v: number;
  readonly self: CoordinatorSelf;
  readonly outbox: OutboxState;
  /** The clock at the newest write of the header, ms since 1970. Absent: by earlier code. */
  readonly clockAt?: number | undefined;
  /** The commands with a key (API10). Absent: none. */
  readonly acts?: ActsState | undefined;
}

export interface CoordinatorState<Header extends CoordinatorHeader = CoordinatorHeader> {
  header: Header | undefined;
  readonly store: StoreReader;
}

export interface CoordinatorOutboxRow {
  readonly v: number;
  readonly to: StoredAddress;
  readonly message: object;
}

export type CoordinatorInput =
  /** A message of another object. The reply is a `SendResult`. */
  | { readonly type: "message"; readonly message: object }
  /** A command of the Worker, which has authenticated and validated it. The reply is a `CommandReply`. */
  | { readonly type: "command"; readonly command: object; readonly request?: RequestKey | undefined }
  /** The result of sending a message of the outbox. */
  | { readonly type: "sent"; readonly key: string; readonly result: SendResult }
  /** The result of a question that was not stored. */
  | { readonly type: "answered"; readonly message: object; readonly result: SendResult }
  | { readonly type: "alarm" };

export type CoordinatorEffect =
  | { readonly type: "send"; readonly again: boolean }
  /** Sends a message that is not stored, and reports the result as the input `answered`. */
  | { readonly type: "ask"; readonly to: Address; readonly message: object }
  /** Something happened that is counted, with an outcome that is one of few (OBS3). */
  | { readonly type: "count"; readonly what: CountedThing; readonly outcome: string }
  /** Deletes all rows and the alarm. */
  | { readonly type: "erase" };

/** What coordinators count: decisions of limits, ticks of schedules, late ones, events, and their targets. */
export type CountedThing = "limit" | "tick" | "lateTick" | "event" | "target";

/** The reply to a command. `body` is answered as JSON. `keep`: `read` does not answer it, so the row of the key has it. */
export type CommandReply =
  | { readonly type: "done"; readonly body: object; readonly keep?: true }
  | { readonly type: "refused"; readonly code: CommandRefusal; readonly message: string };

export type CommandRefusal =
  | "idempotency_conflict"
  | "invalid_body"
  | "newer_format"
  | "not_applicable"
  | "not_found"
  | "schedule_exists";

/** The reply to an input: to a message, or to a command. */
export type CoordinatorReply = { readonly result: SendResult } | { readonly reply: CommandReply };

/**
 * What a kind of coordinator supplies. Its methods may declare the types of its own state, messages and commands: the objects
 * of a deployment trust each other.
 */
export interface CoordinatorMachine<State extends CoordinatorState = CoordinatorState> {
  readonly kind: AddressKind;
  load(store: StoreReader, header: State["header"]): State;
  /** The header of an object that has no rows. */
  first(common: CoordinatorHeader): NonNullable<State["header"]>;
  /** Follows a committed batch in memory. The header is replaced already. Absent: the state is the header. */
  applied?(state: State, batch: WriteBatch): void;
  /** The time of the next alarm, ms since 1970, beside that of the outbox. `undefined`: none. */
  nextAlarm(header: NonNullable<State["header"]>): number | undefined;
  message(draft: CoordinatorDraft<State>, message: object): SendResult;
  /** Each kind that has commands with a key has the command `read`. */
  command(draft: CoordinatorDraft<State>, command: object): CommandReply;
  /** Whether a message that was refused stays in the outbox, to be sent again. Default: none does. */
  keeps?(draft: CoordinatorDraft<State>, message: object, result: SendResult): boolean;
  /** A message was acknowledged or refused and is no longer in the outbox; or a question was answered, or not. */
  answered(draft: CoordinatorDraft<State>, message: object, result: SendResult): void;
  /** The alarm fired. Messages that are due are sent again already. */
  alarm(draft: CoordinatorDraft<State>): void;
  /** The clock was set back: moves the timers of the object back by `ms` (CO4). Absent: it has none. */
  clockBack?(draft: CoordinatorDraft<State>, ms: number): void;
}

/** The decision while it is being made. It shows the rows as they are after it. */
export class CoordinatorDraft<State extends CoordinatorState = CoordinatorState> {
  readonly state: State;
  /** The time of the clock, ms since 1970. */
  readonly now: number;
  /** How far the clock was set back since the newest write of the header, ms. */
  readonly setBackMs: number;
  readonly #first: NonNullable<State["header"]>;
  #header: NonNullable<State["header"]> | undefined;
  #erases = false;
  #sends: "pending" | "all" | undefined;
  readonly #puts = new Map<string, object>();
  readonly #deletes = new Set<string>();
  readonly #questions: CoordinatorEffect[] = [];
  readonly #counts: CoordinatorEffect[] = [];

  constructor(state: State, machine: CoordinatorMachine<State>, self: CoordinatorSelf, now: number) {
    this.state = state;
    this.now = now;
    const header: State["header"] = state.header;
    this.setBackMs = Math.max((header?.clockAt ?? 0) - now, 0);
    this.#first = header ?? machine.first({ v: FORMAT_VERSION, self, outbox: EMPTY_OUTBOX });
  }

  /** The header with the changes of this decision. If the object has no rows, it is the first one. */
  get header(): NonNullable<State["header"]> {
    return this.#header ?? this.#first;
  }

  /** Whether the object has no rows before this decision. */
  get isNew(): boolean {
    return this.state.header === undefined;
  }

  /** Whether the object has rows after this decision. */
  get hasRows(): boolean {
    return !this.#erases && (this.#header !== undefined || !this.isNew);
  }

  change(patch: Partial<NonNullable<State["header"]>>): void {
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

  get(key: string): unknown {
    if (this.#deletes.has(key)) return undefined;
    return this.#puts.get(key) ?? this.state.store.get(key);
  }

  /** Lists rows in the order of their keys, with those that this decision puts. */
  *list(
    prefix: string,
    { after = "", limit = Infinity }: Omit<ListOptions, "reverse"> = {},
  ): Iterable<[string, unknown]> {
    const put = [...this.#puts.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
    let left = limit;
    for (const [key, row] of this.state.store.list(prefix, after === "" ? {} : { after })) {
      while (left > 0 && put[0] !== undefined && put[0] < key) {
        const earlier = put.shift() ?? "";
        left -= 1;
        yield [earlier, this.#puts.get(earlier)];
      }
      if (left <= 0) return;
      if (this.#deletes.has(key)) continue;
      if (put[0] === key) put.shift();
      left -= 1;
      yield [key, this.#puts.get(key) ?? row];
    }
    for (const key of put.slice(0, Math.max(left, 0))) yield [key, this.#puts.get(key)];
  }

  /** Puts a message into the outbox (CO1). */
  post(to: Address, message: object): void {
    const { outbox } = this.header;
    const row: CoordinatorOutboxRow = { v: FORMAT_VERSION, to: toStoredAddress(to), message };
    this.put(outboxKey(outbox.next), row);
    this.#setOutbox(posted(outbox, this.now));
    this.#sends ??= "pending";
  }

  /** Sends a message without storing it. The decision must set a time at which it is asked again. */
  ask(to: Address, message: object): void {
    this.#questions.push({ type: "ask", to, message });
  }

  /** Counts something that this decision does. `outcome`: one of few texts. */
  count(what: CountedThing, outcome = ""): void {
    this.#counts.push({ type: "count", what, outcome });
  }

  /** Deletes the object's rows. Only for a decision after which it has no pending message. */
  erase(): void {
    assert(this.header.outbox.count === 0, "an object that is erased has no pending messages");
    this.#erases = true;
  }

  /** Sends messages again that were not acknowledged in time. */
  settleOutbox(): void {
    const outbox = settled(this.header.outbox, this.now);
    if (outbox === undefined) return;
    this.#setOutbox(outbox);
    this.#sends = "all";
  }

  /** Moves the timers back with the clock (CO4). They were set at the latest at the newest write of the header. */
  settleClock(machine: CoordinatorMachine<State>): void {
    const ms = this.setBackMs;
    if (ms === 0) return;
    const { outbox } = this.header;
    if (outbox.retryAt !== undefined) this.#setOutbox({ ...outbox, retryAt: outbox.retryAt - ms });
    machine.clockBack?.(this, ms);
  }

  /** Removes a settled message. The next message to its address is sent. Returns it, if it was there. */
  removeSent(key: string): object | undefined {
    const row = this.get(key);
    if (!isOutboxRow(row)) return undefined;
    this.delete(key);
    this.#setOutbox(removed(this.header.outbox));
    if (this.header.outbox.count > 0) this.#sends ??= "pending";
    return row.message;
  }

  setActs(acts: ActsState): void {
    this.#header = { ...this.header, acts };
  }

  #setOutbox(outbox: OutboxState): void {
    this.#header = { ...this.header, outbox };
  }

  /** Returns what to commit and to perform. */
  finish<Reply>(
    machine: CoordinatorMachine<State>,
    alarmFired: boolean,
    reply: Reply,
  ): Decision<CoordinatorEffect, Reply> {
    const effects = [...this.#questions, ...this.#counts];
    if (this.#erases) return { batch: NOTHING, effects: [...this.#counts, { type: "erase" }], reply };
    if (this.#sends !== undefined) effects.push({ type: "send", again: this.#sends === "all" });
    const before: State["header"] = this.state.header;
    const changed = this.#header !== undefined || (before === undefined && this.#puts.size > 0);
    if (changed) this.#puts.set(COORDINATOR_HEADER, { ...this.header, clockAt: this.now });
    const exists = changed || before !== undefined;
    const alarm = exists ? alarmOf(machine, this.header) : null;
    const known = before === undefined || alarmFired ? null : alarmOf(machine, before);
    const batch = { puts: this.#puts, deletes: this.#deletes, ...(alarm === known ? {} : { alarm }) };
    return { batch, effects, reply };
  }
}

const NOTHING: WriteBatch = { puts: new Map(), deletes: new Set() };

/** Returns the time of the object's alarm, ms since 1970; `null`: none. */
export function alarmOf<State extends CoordinatorState>(
  machine: CoordinatorMachine<State>,
  header: NonNullable<State["header"]>,
): number | null {
  const next = Math.min(machine.nextAlarm(header) ?? Infinity, header.outbox.retryAt ?? Infinity);
  return next === Infinity ? null : next;
}

/** Returns the machine that `MachineHost` runs. */
export function toMachine<State extends CoordinatorState>(
  kind: CoordinatorMachine<State>,
  context: () => { readonly self: CoordinatorSelf; readonly now: number },
): Machine<State, CoordinatorInput, CoordinatorEffect, CoordinatorReply> {
  return {
    load: (store) => {
      const header = store.get(COORDINATOR_HEADER);
      return kind.load(store, isHeaderOf(kind, header) ? header : undefined);
    },
    decide: (state, input) => {
      const { self, now } = context();
      const draft = new CoordinatorDraft(state, kind, self, now);
      const reply = decide(kind, draft, input);
      return draft.finish(kind, input.type === "alarm", reply);
    },
    apply: (state, batch) => {
      const header = batch.puts.get(COORDINATOR_HEADER);
      if (isHeaderOf(kind, header)) state.header = header;
      kind.applied?.(state, batch);
    },
  };
}

function decide<State extends CoordinatorState>(
  kind: CoordinatorMachine<State>,
  draft: CoordinatorDraft<State>,
  input: CoordinatorInput,
): CoordinatorReply {
  draft.settleClock(kind);
  switch (input.type) {
    case "message":
      return { result: kind.message(draft, input.message) };
    case "command":
      return { reply: execute(kind, draft, input) };
    case "sent": {
      const { key, result } = input;
      const row = draft.get(key);
      // The back-off of the outbox sends an undelivered message again.
      if (result.type === "unreachable" || (isOutboxRow(row) && kind.keeps?.(draft, row.message, result))) return DONE;
      const message = draft.removeSent(key);
      if (message !== undefined) kind.answered(draft, message, result);
      return DONE;
    }
    case "answered":
      if (!draft.isNew) kind.answered(draft, input.message, input.result);
      return DONE;
    case "alarm":
      if (draft.isNew) return DONE;
      draft.settleOutbox();
      kind.alarm(draft);
      return DONE;
  }
}

/** Executes a command, and a repeated one once (API10). */
function execute<State extends CoordinatorState>(
  kind: CoordinatorMachine<State>,
  draft: CoordinatorDraft<State>,
  { command, request }: CoordinatorInput & { type: "command" },
): CommandReply {
  if (request === undefined) return kind.command(draft, command);
  const known = findAct(draft, command, request);
  if (known !== undefined)
    return known.body === undefined ? kind.command(draft, { type: "read" }) : { type: "done", body: known.body };
  const reply = kind.command(draft, command);
  if (reply.type === "done") noteAct(draft, command, request, reply.keep && reply.body);
  return reply;
}

const DONE: CoordinatorReply = { result: { type: "acknowledged" } };

/** Reads the header of an object of any kind. */
export function readHeader(store: StoreReader): CoordinatorHeader | undefined {
  const row = store.get(COORDINATOR_HEADER);
  return isHeader(row) ? row : undefined;
}

function isHeader(row: unknown): row is CoordinatorHeader {
  return typeof row === "object" && row !== null && "self" in row;
}

/** An object has one kind for its whole life. */
function isHeaderOf<State extends CoordinatorState>(
  _kind: CoordinatorMachine<State>,
  row: unknown,
): row is NonNullable<State["header"]> {
  return isHeader(row);
}

export function isOutboxRow(row: unknown): row is CoordinatorOutboxRow {
  return typeof row === "object" && row !== null && "message" in row;
}

function outboxKey(position: number): string {
  return COORDINATOR_OUTBOX + String(position).padStart(10, "0");
}
