/**
 * The rows of a gate: the header, those that hold, and the queue.
 *
 * Owns: their forms and keys. `held/<incarnation>.<seq>`; `queue/<group>/<order>/<arrival>`; `group/<group>` and
 * `turn/<number>` for fair limits.
 *
 * Invariants
 * - GR1 Each row has the version `v`. Later versions only add optional fields (VER1).
 * - GR2 The order of the keys of a group is the order in which it is served (L4).
 */
import { isObject } from "../json-schema/schema.ts";
import type { CoordinatorHeader, CoordinatorState } from "../host/coordinator.ts";
import type { VoidRevs } from "../host/void-revs.ts";
import type { GateSettings, HoldMode, HoldRef, OnFull, QueuePlace } from "./messages.ts";

export const HELD_PREFIX = "held/";
export const QUEUE_PREFIX = "queue/";
export const TURN_PREFIX = "turn/";
const GROUP_PREFIX = "group/";

/** What an operator has set. It stays when the code changes, until it is cleared. */
interface GateOverride {
  readonly max: number;
  readonly by: string;
  readonly at: number;
}

interface GateHeader extends CoordinatorHeader {
  readonly limit: string;
  readonly key?: string | undefined;
  readonly settings: GateSettings;
  /** The builds that an operator has declared void. */
  readonly voided?: VoidRevs | undefined;
  /** When the gate asked which builds are void, ms since 1970. */
  readonly askedAt?: number | undefined;
  readonly override?: GateOverride | undefined;
  /** An operator admits nobody. */
  readonly paused?: { readonly at: number; readonly by: string } | undefined;
  /** The rate: when the next start is due in an even flow, ms since 1970 (GCRA). */
  readonly tat?: number | undefined;
  /** The rows of the queue. */
  readonly queued: number;
  /** How far the clock was set back in all while runs waited, ms: the sum after each time. Later runs come after them (L4). */
  readonly setBack?: readonly number[] | undefined;
  readonly arrivals: number;
  readonly turns: number;
  /** The key of the queued row that replaces a holder. */
  readonly replacer?: string | undefined;
  /** No holder is probed before this time, ms since 1970. */
  readonly probeAt?: number | undefined;
  /** The list of the tenant names this gate. */
  readonly listed?: true | undefined;
}

interface Wanted {
  readonly v: number;
  readonly hold: HoldRef;
  readonly mode: HoldMode;
  readonly workflowId: string;
  readonly place: QueuePlace;
}

export interface QueueRow extends Wanted {
  /** When it arrived, ms since 1970. */
  readonly since: number;
  readonly onFull: OnFull;
  /** `Acquire.again`. */
  readonly again?: true | undefined;
}

export interface HeldRow extends Wanted {
  /** Since when it holds, ms since 1970. */
  readonly since: number;
  readonly startAt?: number | undefined;
  /** When the run is asked whether it holds, ms since 1970 (L2). */
  readonly probeAt: number;
  /** How often it answered that it holds. */
  readonly probes: number;
  /** The outbox has a grant that is not acknowledged. */
  readonly granting?: true | undefined;
  /** Since when it does not answer, ms since 1970. */
  readonly unreachableSince?: number | undefined;
  /** The key of the holding of an ancestor under which it is admitted: it takes no place of its own. */
  readonly under?: string | undefined;
  /** It was released, and descendants still hold under it: it keeps its place until they release. */
  readonly released?: true | undefined;
  /** The run that replaces it. */
  readonly replacedBy?: string | undefined;
}

export interface GateState extends CoordinatorState<GateHeader> {
  /** The rows that hold, by key. */
  readonly held: Map<string, HeldRow>;
}

export interface GroupRow {
  readonly v: number;
  readonly turn: number;
}

export interface TurnRow {
  readonly v: number;
  readonly group: string;
}

export function heldKey({ incarnation, seq }: HoldRef): string {
  return `${HELD_PREFIX}${incarnation}.${seq}`;
}

export function isSameHold(one: HoldRef, other: HoldRef): boolean {
  return one.incarnation === other.incarnation && one.seq === other.seq;
}

/** The prefix of the keys of a group's queue. The group with the empty name takes turns as the others. */
export function groupPrefix(group: string | undefined): string {
  return `${QUEUE_PREFIX}${group === "" ? "%" : encodeURIComponent(group ?? "")}/`;
}

/** The prefix of the keys of all holdings with this place. Head start in seconds moves a place forward. */
export function placePrefix({ enqueuedAt, priority = 0, group }: QueuePlace): string {
  return `${groupPrefix(group)}${inOrder(Math.max(Math.round(enqueuedAt - priority * 1_000), 0), 15)}/`;
}

export function queueKey(place: QueuePlace, arrival: number): string {
  return placePrefix(place) + inOrder(arrival, 12);
}

export function groupKey(group: string): string {
  return GROUP_PREFIX + encodeURIComponent(group);
}

export function turnKey(turn: number): string {
  return TURN_PREFIX + inOrder(turn, 12);
}

export function isHeldRow(row: unknown): row is HeldRow {
  return isObject(row) && "probeAt" in row;
}

export function isQueueRow(row: unknown): row is QueueRow {
  return isObject(row) && "onFull" in row;
}

export function isGroupRow(row: unknown): row is GroupRow {
  return isObject(row) && "turn" in row;
}

export function isTurnRow(row: unknown): row is TurnRow {
  return isObject(row) && "group" in row;
}

function inOrder(number: number, digits: number): string {
  return String(number).padStart(digits, "0");
}
