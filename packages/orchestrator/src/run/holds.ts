/**
 * The limits that a run holds.
 *
 * Owns: the list `holds` of the header, and the messages to the gates. `lifecycle.ts` asks `admit` before a run executes, and
 * calls `freeAll` and `freeActive` when a run no longer needs its holds. `admission.ts` applies what gates say.
 *
 * Invariants
 * - HO1 A running run holds each of its limits. So it executes only while its own header says so (L1).
 * - HO2 A hold is free in the same commit that posts its release, and in no later one. So the row of the gate outlives the
 *   hold (L1).
 * - HO3 Each holding has a number of its own in the run, so a late message about an earlier one changes nothing (L3).
 * - HO4 A run wants at most one hold at a time, in the order of the list (FLOW6).
 */
import { type Address, defined } from "@holdfast/protocol";
import {
  type Acquire,
  type HoldMode,
  type HoldRef,
  type QueuePlace,
  type Release,
  gateAddress,
} from "../gate/messages.ts";
import type { PlannedHold } from "../flow/plan.ts";
import type { Draft } from "./draft/draft.ts";
import { type HeldAbove, type Hold, isSameGate, mayExecute, startOf } from "./state/hold.ts";
import type { Reply } from "./draft/inputs.ts";
import { post } from "./draft/outbox.ts";
import type { RunHeader } from "./state/run-header.ts";

/** Adds holds to the header of a new run. */
export function plannedHolds(
  now: number,
  holds: readonly PlannedHold[],
  granted: Readonly<Record<string, Pick<Hold, "seq" | "enqueuedAt" | "startAt">>> = {},
): readonly Hold[] {
  return holds.map((hold) => {
    // A limit may be called as a property that each object inherits, such as "constructor".
    const before = Object.hasOwn(granted, hold.limit) ? granted[hold.limit] : undefined;
    return before === undefined
      ? { ...hold, state: "free", seq: 0 }
      : { ...hold, ...before, ...startOf(before.startAt, now), state: "held" };
  });
}

/** Whether the run may execute now. If not, it wants the first hold that it does not have, and waits for admission. */
export function admit(draft: Draft): boolean {
  const { holds = [], admission } = draft.header;
  if (mayExecute(draft.header, draft.now)) {
    if (admission !== undefined) draft.change({ admission: undefined });
    return true;
  }
  if (admission === undefined) beginAdmission(draft);
  const missing = holds.find(({ state }) => state !== "held");
  if (missing?.state === "free") {
    freeAfter(draft, missing);
    want(draft, missing);
  }
  return false;
}

/**
 * Gives the active holds back that come after this one in the list (HO4). The run has such a hold only if its gate was asked
 * before the run existed: another run that holds this one may want it again, and would wait for this run.
 */
function freeAfter(draft: Draft, missing: Hold): void {
  const { holds = [] } = draft.header;
  const later = new Set(holds.slice(holds.indexOf(missing) + 1));
  freeWhere(draft, (hold) => hold.mode === "active" && later.has(hold));
}

function beginAdmission(draft: Draft): void {
  const { holds = [], epoch } = draft.header;
  const timeouts = holds.flatMap(({ queueTimeoutMs }) => queueTimeoutMs ?? []);
  // A run that has begun was admitted: only the first admission times out.
  const timeoutMs = epoch > 0 || timeouts.length === 0 ? undefined : Math.min(...timeouts);
  draft.change({
    admission: defined({ since: draft.now, timeoutAt: timeoutMs && draft.now + timeoutMs, timeoutMs }),
  });
}

function want(draft: Draft, hold: Hold): void {
  const seq = nextSeq(draft);
  const wanted: Hold = { ...hold, state: "wanted", seq, enqueuedAt: hold.enqueuedAt ?? draft.now };
  replace(draft, hold, wanted);
  postAcquire(draft, wanted);
}

/** The number of the next holding of the run (GM1). */
export function nextSeq({ header: { holds = [], lastStepSeq = 0 } }: Draft): number {
  return 1 + Math.max(lastStepSeq, ...holds.map(({ seq }) => seq));
}

/** Replaces a hold in the header. */
export function replace(draft: Draft, hold: Hold, by: Hold): void {
  const { holds = [] } = draft.header;
  draft.change({ holds: holds.map((one) => (one === hold ? by : one)) });
}

/** Sends what the run wants or holds. `held`: the gate has lost its rows, and the run states its hold (L5). */
export function postAcquire(draft: Draft, hold: Hold, held?: true): void {
  post(draft, addressOf(hold), acquireOf(draft.header, hold, held));
}

/** The run that wants a hold. It need not exist yet (L6). */
type Holder = Pick<
  RunHeader,
  "id" | "incarnation" | "tenantId" | "workflowId" | "priority" | "createdAt" | "heldAbove"
> & { readonly epoch?: number };

/** What the message about a hold says: a hold of the run, or a place of a step. */
type Wanted = Pick<Hold, "limit" | "key" | "scope" | "settings" | "group" | "seq" | "enqueuedAt" | "onFull"> & {
  readonly mode: HoldMode;
};

/** The message of a run that wants a hold. */
export function acquireOf(holder: Holder, hold: Wanted, held?: true): Acquire {
  const { limit, key, mode, onFull, settings } = hold;
  const lineage = holder.heldAbove?.filter((above) => isSameGate(above, hold)).map((above) => above.hold);
  return defined({
    type: "acquire",
    hold: refOf(holder, hold),
    limit,
    key,
    mode,
    place: placeOf(holder, hold),
    onFull,
    settings,
    workflowId: holder.workflowId,
    lineage: lineage?.length === 0 ? undefined : lineage,
    held,
    again: (holder.epoch ?? 0) > 0 ? true : undefined,
  });
}

/** The message of a run that no longer holds, or no longer wants to. */
export function releaseOf(holder: Holder, hold: Pick<Wanted, "seq" | "scope" | "enqueuedAt" | "group">): Release {
  return { type: "release", hold: refOf(holder, hold), place: placeOf(holder, hold) };
}

/** Gives the holds of mode `active` back: the run parks or is paused. */
export function freeActive(draft: Draft): void {
  freeWhere(draft, ({ mode }) => mode === "active");
}

/** Gives the holds of mode `active` of a paused run back when nothing of it executes any more (CAN4). */
export function freeOfPaused(draft: Draft): void {
  const { status, holds, paused } = draft.header;
  if (status !== "paused" || holds === undefined) return;
  const executes = paused?.by === "operator" && draft.live && (draft.context.inProgress ?? []).length > 0;
  if (!executes) freeActive(draft);
}

/**
 * Gives all holds back of a run that comes from a back-up, because other runs may hold them by now, and wants them again
 * (DUR14). The numbers jump, so that none is used twice: those after the back-up are not known.
 */
export function wantAgain(draft: Draft): void {
  freeAll(draft);
  const { holds = [] } = draft.header;
  draft.change({ holds: holds.map((hold) => ({ ...hold, seq: Math.max(hold.seq, draft.now) })) });
  admit(draft);
}

/** States the holds again to gates that have lost their rows (L5). */
export function restate(draft: Draft): Reply {
  for (const hold of draft.header.holds ?? []) {
    if (hold.state === "free" || hold.settings.max === undefined) continue;
    postAcquire(draft, hold, hold.state === "held" ? true : undefined);
  }
  return { type: "done" };
}

/** Gives all holds back: the run ends. */
export function freeAll(draft: Draft): void {
  freeWhere(draft, () => true);
}

function freeWhere(draft: Draft, which: (hold: Hold) => boolean): void {
  const { holds = [] } = draft.header;
  const left = holds.filter((hold) => hold.state !== "free" && which(hold));
  for (const hold of left) {
    replace(draft, hold, freed(hold));
    // What only a rate admits is not stored at the gate.
    if (hold.settings.max === undefined) continue;
    post(draft, addressOf(hold), releaseOf(draft.header, hold));
  }
}

/** A hold that is free again. When the run wants it again, it waits in the queue, whatever its policy was at first. */
export function freed({
  position: _position,
  startAt: _startAt,
  startMs: _startMs,
  askAt: _askAt,
  asks: _asks,
  ...hold
}: Hold): Hold {
  return { ...hold, state: "free", onFull: "queue" };
}

/** The holdings under which an attached child is admitted. */
export function holdsForChild(header: RunHeader): { readonly heldAbove?: readonly HeldAbove[] } {
  const { holds = [], heldAbove = [] } = header;
  const own = holds.flatMap((hold): HeldAbove[] => {
    const { limit, key, scope, mode, state, settings } = hold;
    if (mode !== "run" || state !== "held" || settings.max === undefined) return [];
    return [defined({ limit, key, scope, hold: refOf(header, hold) })];
  });
  const all = [...own, ...heldAbove];
  return all.length === 0 ? {} : { heldAbove: all };
}

/** The address of the gate of a hold. */
export function addressOf({ limit, key, scope }: Pick<Hold, "limit" | "key" | "scope">): Address {
  return gateAddress(limit, key, scope);
}

function refOf(
  { id, incarnation = "", tenantId }: Pick<Holder, "id" | "incarnation" | "tenantId">,
  { seq, scope }: Pick<Hold, "seq" | "scope">,
): HoldRef {
  return defined({ runId: id, incarnation, seq, tenantId: scope === undefined ? undefined : tenantId });
}

function placeOf(
  { priority, createdAt }: Holder,
  { enqueuedAt = createdAt, group }: Pick<Hold, "enqueuedAt" | "group">,
): QueuePlace {
  return defined({ enqueuedAt, priority, group });
}
