/**
 * The machine of the list of a tenant's schedules.
 *
 * Owns: the entries of the list, the declarations of the code (SCH9), and the second alarm (SCH11).
 *
 * Invariants
 * - SL1 The entry of a schedule is the newest one that arrived. A schedule sends an entry until the list acknowledges it, so
 *   the list is eventually complete.
 * - SL2 The declarations with the highest `rev` apply, unless an operator says that later ones are void. So two builds that
 *   alternate change nothing.
 * - SL3 A schedule that must have sent a newer entry is woken, again and again, until it has.
 */
import { FORMAT_VERSION, HOST_LIMITS, defined } from "@holdfast/protocol";
import {
  type CommandReply,
  type CoordinatorDraft,
  type CoordinatorHeader,
  type CoordinatorMachine,
  type CoordinatorState,
} from "../host/coordinator.ts";
import type { SendResult } from "../host/outbox-sender.ts";
import type { StoreReader, WriteBatch } from "../host/store.ts";
import { type VoidRevs, isVoid } from "../host/void-revs.ts";
import { isSameConfig } from "./commands.ts";
import type { ScheduleConfig } from "./config.ts";
import { digestOf } from "./digest.ts";
import { describeListed } from "./describe.ts";
import type { ListMessage, ScheduleEntry, ListsMessage, ScheduleOrigin } from "./messages.ts";

const ENTRY_PREFIX = "schedule/";

interface EntryRow extends ScheduleEntry {
  readonly v: number;
  /** When the schedule was woken last because nothing newer had arrived. */
  readonly pokedAt?: number | undefined;
}

interface ListHeader extends CoordinatorHeader {
  /** The time of the build whose declarations apply. */
  readonly rev?: number | undefined;
  /** The builds that an operator has declared void. */
  readonly voided?: VoidRevs | undefined;
  /** When the first schedule must have sent a newer entry, and the time after that. */
  readonly pokeAt?: number | undefined;
}

interface ListState extends CoordinatorState<ListHeader> {
  readonly entries: Map<string, EntryRow>;
}

/** What the code declares. */
export interface SyncRequest extends ScheduleOrigin {
  readonly rev: number;
  readonly schedules: readonly ScheduleConfig[];
  /** Later revs are void: this build is served, and others are not (SCH9). */
  readonly force: boolean;
  /** Only says what would change. */
  readonly dryRun: boolean;
}

export type ScheduleListCommand =
  | { readonly type: "list" }
  | ({ readonly type: "sync" } & SyncRequest)
  | { readonly type: "poke" };

/** What a declaration does. `conflict`: the API has made a schedule of this id. `stale`: a later build applies. */
export type SyncChange = "created" | "changed" | "orphaned" | "returned" | "unchanged" | "conflict";

type Draft = CoordinatorDraft<ListState>;

export const scheduleList: CoordinatorMachine<ListState> = {
  kind: "schedules",
  load: (store, header) => ({ header, entries: readEntries(store), store }),
  first: (common) => common,
  applied,
  nextAlarm: ({ pokeAt }) => pokeAt,
  message: (draft: Draft, message: ListMessage) => receive(draft, message),
  command: (draft: Draft, command: ScheduleListCommand) => execute(draft, command),
  answered: (draft: Draft, message: ListsMessage, result) => answered(draft, message, result),
  alarm: poke,
  clockBack(draft: Draft, ms) {
    // A due time of a clock that was far ahead says nothing: the schedule is asked.
    const far = ms > HOST_LIMITS.scheduleLateMs;
    for (const { pokedAt, dueAt, ...row } of draft.state.entries.values())
      if (pokedAt !== undefined || (far && dueAt !== undefined))
        put(draft, {
          ...row,
          pokedAt: pokedAt && pokedAt - ms,
          dueAt: far ? dueAt && Math.min(dueAt, draft.now) : dueAt,
        });
    draft.change({ pokeAt: undefined });
    setAlarm(draft);
  },
};

function isEntry(row: unknown): row is EntryRow {
  return typeof row === "object" && row !== null && "config" in row;
}

function readEntries(store: StoreReader): Map<string, EntryRow> {
  const rows = [...store.list(ENTRY_PREFIX)].map(([, row]) => row).filter(isEntry);
  return new Map(rows.map((row) => [row.id, row]));
}

function applied({ entries }: ListState, { puts, deletes }: WriteBatch): void {
  for (const key of deletes) if (key.startsWith(ENTRY_PREFIX)) entries.delete(key.slice(ENTRY_PREFIX.length));
  for (const [key, row] of puts) if (key.startsWith(ENTRY_PREFIX) && isEntry(row)) entries.set(row.id, row);
}

function receive(draft: Draft, message: ListMessage): SendResult {
  const id = message.type === "listed" ? message.entry.id : message.id;
  const known = draft.state.entries.get(id);
  const version = message.type === "listed" ? message.entry.version : message.version;
  if (known !== undefined && known.version >= version) return { type: "acknowledged" };
  if (message.type === "listed") {
    const last = message.entry.last ?? known?.last;
    put(draft, { v: FORMAT_VERSION, ...message.entry, ...defined({ last }) });
  } else if (known !== undefined) draft.delete(ENTRY_PREFIX + id);
  setAlarm(draft);
  return { type: "acknowledged" };
}

function put(draft: Draft, row: EntryRow): void {
  draft.put(ENTRY_PREFIX + row.id, row);
}

/** The entries with the changes of the draft. */
function entriesOf(draft: Draft): EntryRow[] {
  return [...draft.list(ENTRY_PREFIX)].map(([, row]) => row).filter(isEntry);
}

function setAlarm(draft: Draft): void {
  const times = entriesOf(draft).flatMap((row) => pokeTime(row) ?? []);
  const pokeAt = times.length === 0 ? undefined : Math.min(...times);
  // The alarm may be early: it then finds nothing, and is set again.
  if (
    draft.header.pokeAt !== undefined &&
    pokeAt !== undefined &&
    draft.header.pokeAt <= pokeAt &&
    draft.header.pokeAt > draft.now
  )
    return;
  if (pokeAt !== draft.header.pokeAt) draft.change({ pokeAt });
}

function pokeTime({ dueAt, pokedAt = 0 }: EntryRow): number | undefined {
  return dueAt === undefined ? undefined : Math.max(dueAt, pokedAt) + HOST_LIMITS.schedulePokeMs;
}

/** Wakes the schedules that should have sent a newer entry (SCH11). */
function poke(draft: Draft): void {
  for (const row of draft.state.entries.values()) {
    if ((pokeTime(row) ?? Infinity) > draft.now) continue;
    put(draft, { ...row, pokedAt: draft.now });
    draft.ask({ kind: "schedule", name: row.id }, { type: "poke", id: row.id });
  }
  setAlarm(draft);
}

/** A schedule that does not exist any more leaves the list. */
function answered(draft: Draft, message: ListsMessage, result: SendResult): void {
  if (message.type !== "poke" || result.type !== "acknowledged" || result.answer !== "gone") return;
  draft.delete(ENTRY_PREFIX + message.id);
  setAlarm(draft);
}

function execute(draft: Draft, command: ScheduleListCommand): CommandReply {
  switch (command.type) {
    case "list": {
      const rows = [...draft.state.entries.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
      return { type: "done", body: { schedules: rows.map((row) => describeListed(row, draft.now)) } };
    }
    case "poke":
      poke(draft);
      return { type: "done", body: {} };
    case "sync":
      return { type: "done", body: sync(draft, command) };
  }
}

/** Compares what the code declares with the list, and applies it. */
function sync(draft: Draft, { schedules, rev, force, dryRun, ...origin }: SyncRequest): object {
  const { rev: known, voided } = draft.header;
  const isStale = !force && ((known !== undefined && known > rev) || isVoid(rev, voided));
  const changes = changesOf(draft, schedules);
  const answer = { rev, appliedRev: isStale || dryRun ? (known ?? null) : rev, stale: isStale, changes };
  if (dryRun || isStale || (known === rev && !force)) return answer;
  for (const config of schedules) {
    const change = changes.find(({ id }) => id === config.id)?.change;
    if (change === "conflict") continue;
    post(draft, config.id, { type: "declare", config, rev: revFor(draft, config.id, rev), ...originOf(origin) });
  }
  for (const { id, change } of changes) {
    if (change === "orphaned") post(draft, id, { type: "orphan", rev: revFor(draft, id, rev) });
  }
  // A build that no request has reached yet is later than all that are void.
  const until = newestOf(draft.header);
  draft.change({ rev, ...(force ? { voided: until > rev ? { above: rev, until } : undefined } : {}) });
  return answer;
}

/** A schedule may have the rev of a later build, which is void: the list decides which one applies. */
function revFor({ state, header }: Draft, id: string, rev: number): number {
  return Math.max(rev, newestOf(header), state.entries.get(id)?.rev ?? 0);
}

/** The newest build that was applied or is void. A schedule may have its declaration before the list gets the entry. */
function newestOf({ rev = 0, voided }: ListHeader): number {
  return Math.max(rev, voided?.until ?? 0);
}

function post(draft: Draft, id: string, message: ListsMessage): void {
  draft.post({ kind: "schedule", name: id }, message);
}

function originOf({ environment, baseUrl, tenantId }: ScheduleOrigin): ScheduleOrigin {
  return { environment, ...defined({ baseUrl, tenantId }) };
}

function changesOf(
  draft: Draft,
  schedules: readonly ScheduleConfig[],
): { readonly id: string; readonly change: SyncChange }[] {
  const declared = new Set(schedules.map(({ id }) => id));
  const changes = schedules.map((config) => ({
    id: config.id,
    change: changeOf(draft.state.entries.get(config.id), config),
  }));
  const gone = [...draft.state.entries.values()].filter(
    ({ id, source, orphanedAt }) => source === "code" && orphanedAt === undefined && !declared.has(id),
  );
  return [...changes, ...gone.map(({ id }) => ({ id, change: "orphaned" as const }))];
}

function changeOf(entry: EntryRow | undefined, config: ScheduleConfig): SyncChange {
  if (entry === undefined) return "created";
  if (entry.source === "api") return "conflict";
  if (entry.orphanedAt !== undefined) return "returned";
  const { input, ...shown } = config;
  return isSameConfig(entry.config, shown) && entry.inputDigest === digestOf(input) ? "unchanged" : "changed";
}
