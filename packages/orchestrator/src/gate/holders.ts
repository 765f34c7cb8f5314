/**
 * The rows that hold, while a gate decides.
 *
 * Owns: how many places are taken (L1), holdings under those of ancestors, and grants to the queue.
 *
 * Invariants
 * - GH1 A holding under that of an ancestor takes no place. The ancestor's place stays taken until both are released.
 * - GH2 A place that becomes free goes to the queue in the same commit.
 */
import { type Address, FORMAT_VERSION, HOST_LIMITS } from "@holdfast/protocol";
import type { CoordinatorDraft } from "../host/coordinator.ts";
import { type Drop, type Grant, type HoldRef, gateName } from "./messages.ts";
import { dequeue } from "./queue.ts";
import { reserve } from "./rate.ts";
import { type GateState, HELD_PREFIX, type HeldRow, type QueueRow, heldKey, isHeldRow } from "./rows.ts";

export type Draft = CoordinatorDraft<GateState>;

/** How many runs one commit admits. The alarm continues at once. */
const GRANTS_PER_COMMIT = 100;

type NewHolding = Pick<HeldRow, "hold" | "mode" | "workflowId" | "place" | "under">;

export class Holders {
  readonly draft: Draft;
  readonly #changed = new Map<string, HeldRow | undefined>();
  #taken: number;

  constructor(draft: Draft) {
    this.draft = draft;
    // The rows were moved back with the clock.
    if (draft.setBackMs > 0)
      for (const [key, row] of draft.list(HELD_PREFIX)) if (isHeldRow(row)) this.#changed.set(key, row);
    this.#taken = placesTaken(draft.state.held.values());
  }

  get(key: string): HeldRow | undefined {
    return this.#changed.has(key) ? this.#changed.get(key) : this.draft.state.held.get(key);
  }

  /** The rows, the oldest first. */
  all(): (readonly [string, HeldRow])[] {
    const merged = new Map<string, HeldRow | undefined>([...this.draft.state.held, ...this.#changed]);
    const rows = [...merged].flatMap(([key, row]) => (row === undefined ? [] : [[key, row] as const]));
    return rows.toSorted(([, a], [, b]) => a.since - b.since);
  }

  /** Whether all places are taken. */
  get isFull(): boolean {
    return this.#taken >= (maxOf(this.draft) ?? Infinity);
  }

  /** Whether another run is admitted. */
  get isFree(): boolean {
    return this.draft.header.paused === undefined && !this.isFull;
  }

  put(key: string, row: HeldRow): void {
    if (this.get(key) === undefined && row.under === undefined) this.#taken += 1;
    this.#changed.set(key, row);
    this.draft.put(key, row);
    if (row.released !== true) this.probeBy(row.probeAt);
  }

  /** Admits a run: returns when it may start, if that is later. Without `max` nothing is stored. */
  admit(wanted: NewHolding, granting?: true): number | undefined {
    const { draft } = this;
    const { now } = draft;
    const startAt = this.#reserve();
    const { hold, mode, workflowId, place, under } = wanted;
    if (maxOf(draft) !== undefined) {
      const row: HeldRow = {
        v: FORMAT_VERSION,
        hold,
        mode,
        workflowId,
        place,
        since: now,
        probeAt: now + HOST_LIMITS.probeMsMin,
        probes: 0,
        ...(startAt === undefined ? {} : { startAt }),
        ...(under === undefined ? {} : { under }),
        ...(granting === undefined ? {} : { granting }),
      };
      this.put(heldKey(hold), row);
    }
    return startAt;
  }

  #reserve(): number | undefined {
    const { draft } = this;
    const { settings, tat } = draft.header;
    if (settings.rate === undefined) return undefined;
    const reservation = reserve(settings.rate, tat, draft.now);
    draft.change({ tat: reservation.tat });
    if (draft.header.probeAt === undefined) this.probeBy(Math.ceil(reservation.tat));
    return reservation.startAt > draft.now ? reservation.startAt : undefined;
  }

  /** Frees a place, and gives it to the queue. */
  release(key: string): void {
    const row = this.get(key);
    if (row === undefined) return;
    if (this.#hasDescendants(key)) return row.released ? undefined : this.put(key, { ...row, released: true });
    this.#remove(key, row);
    const ancestor = row.under === undefined ? undefined : this.get(row.under);
    // The last descendant of a holding that was released.
    if (row.under !== undefined && ancestor?.released === true) this.release(row.under);
    else this.grantNext();
  }

  #hasDescendants(key: string): boolean {
    for (const [other, { under }] of this.draft.state.held) if (under === key && !this.#changed.has(other)) return true;
    return [...this.#changed.values()].some((row) => row?.under === key);
  }

  #remove(key: string, row: HeldRow): void {
    if (row.under === undefined) this.#taken -= 1;
    this.#changed.set(key, undefined);
    this.draft.delete(key);
  }

  /** Admits runs of the queue while there are places. */
  grantNext(): void {
    for (let granted = 0; this.isFree && this.draft.header.queued > 0; granted += 1) {
      if (granted === GRANTS_PER_COMMIT) return this.probeBy(this.draft.now);
      const row = dequeue(this.draft);
      if (row === undefined) return;
      this.#grant(row);
    }
  }

  #grant(row: QueueRow): void {
    const startAt = this.admit(row, true);
    this.draft.count("limit", "granted_later");
    this.postGrant(row.hold, startAt);
  }

  postGrant(hold: HoldRef, startAt: number | undefined): void {
    const message: Grant = {
      type: "grant",
      gate: nameOf(this.draft),
      hold,
      ...(startAt === undefined ? {} : { startAt }),
    };
    this.draft.post(addressOf(hold), message);
  }

  /** `by`: the run that replaces it. A run of another tenant is not named (GATE10). */
  postDrop(hold: HoldRef, reason: Drop["reason"], by?: HoldRef): void {
    const named = by === undefined || by.tenantId !== hold.tenantId ? {} : { by: by.runId };
    this.draft.count("limit", reason);
    const message: Drop = { type: "drop", gate: nameOf(this.draft), hold, reason, ...named };
    this.draft.post(addressOf(hold), message);
  }

  /** Sets the alarm at which holders are asked, and a gate without rows is forgotten. */
  probeBy(at: number): void {
    const { probeAt } = this.draft.header;
    if (probeAt === undefined || at < probeAt) this.draft.change({ probeAt: at });
  }
}

/** The largest number of holdings; `undefined`: only the rate is limited. */
export function maxOf(draft: Pick<Draft, "header">): number | undefined {
  const { override, settings } = draft.header;
  return hasOnlyRate(draft) ? undefined : (override?.max ?? settings.max);
}

/** Whether the code declares a rate alone. Its runs release nothing, so no max can be set either. */
export function hasOnlyRate({ header: { settings } }: Pick<Draft, "header">): boolean {
  return settings.rate !== undefined && settings.max === undefined;
}

export function placesTaken(rows: Iterable<HeldRow>): number {
  let taken = 0;
  for (const { under } of rows) if (under === undefined) taken += 1;
  return taken;
}

export function nameOf({ header: { limit, key } }: Pick<Draft, "header">): string {
  return gateName(limit, key);
}

export function addressOf({ runId, tenantId }: HoldRef): Address {
  return { kind: "run", name: runId, ...(tenantId === undefined ? {} : { tenantId }) };
}

/** Follows a committed batch in memory. */
export function applyHeld(
  { held }: GateState,
  { puts, deletes }: { readonly puts: ReadonlyMap<string, object>; readonly deletes: ReadonlySet<string> },
): void {
  for (const key of deletes) if (key.startsWith(HELD_PREFIX)) held.delete(key);
  for (const [key, row] of puts) if (key.startsWith(HELD_PREFIX) && isHeldRow(row)) held.set(key, row);
}

/** Whether nothing is left to decide: the gate can be forgotten. */
export function isIdle(holders: Holders): boolean {
  const { draft } = holders;
  const { override, paused, tat = 0, queued, outbox } = draft.header;
  const isSet = override !== undefined || paused !== undefined;
  return !isSet && queued === 0 && outbox.count === 0 && tat <= draft.now && holders.all().length === 0;
}
