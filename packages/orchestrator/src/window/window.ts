/**
 * A window: triggers that become one run.
 *
 * Owns: WIN1–WIN4 and WIN6: when the run starts, what its input is, and that each trigger counts once.
 *
 * Rows: `header` with the open window; `trigger`, what the run is made of; `item/<n>`, the inputs of a batch; and
 * `seen/<delivery id>`.
 *
 * Invariants
 * - WI1 The id of the run is that of the first trigger, and never changes. The run starts by a message of the outbox in the
 *   commit that closes the window, so it starts once.
 * - WI2 Timers first: a trigger at or after `startsAt` opens another window.
 */
import {
  FORMAT_VERSION,
  HOST_LIMITS,
  type WindowRecord,
  decodeValue,
  encodeValue,
  readAddress,
} from "@holdfast/protocol";
import {
  COORDINATOR_OUTBOX,
  type CommandReply,
  type CoordinatorDraft,
  type CoordinatorHeader,
  type CoordinatorMachine,
  type CoordinatorState,
  isOutboxRow,
} from "../host/coordinator.ts";
import { isActRecent } from "../host/acts.ts";
import { isObject } from "../json-schema/schema.ts";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import type { WindowSettings } from "../flow/plan.ts";
import type { ChildTrigger } from "../run/state/messages.ts";
import type { Collect, CollectAnswer } from "./messages.ts";

interface OpenWindow {
  readonly runId: string;
  readonly settings: WindowSettings;
  readonly startsAt: number;
  /** A debounce starts at the latest at this time, ms since 1970. It is set by the first trigger. */
  readonly latest: number;
  readonly count: number;
  /** The inputs of a batch, in bytes. */
  readonly bytes: number;
}

interface WindowHeader extends CoordinatorHeader {
  readonly open?: OpenWindow | undefined;
  /** When the object looks whether it can be forgotten, ms since 1970. */
  readonly idleAt?: number | undefined;
  /** How many delivery ids are stored. Absent: earlier code has not counted them. */
  readonly seen?: number | undefined;
  /** When the clock was set back last, ms since 1970: a delivery id with a later time than now came before that. */
  readonly setBackAt?: number | undefined;
  /** The delivery id at which the search for old ones continues. */
  readonly sweptTo?: string | undefined;
}

type State = CoordinatorState<WindowHeader>;
type Draft = CoordinatorDraft<State>;

const TRIGGER_KEY = "trigger";
const ITEM_PREFIX = "item/";
const SEEN_PREFIX = "seen/";

/** How many delivery ids the end of a batch looks at, beside twice its own. */
const SWEEP_ROWS = 20;

/** The shortest time between two looks at all delivery ids, ms. */
const LOOK_MS_MIN = 3_600_000;

interface TriggerRow {
  readonly v: number;
  readonly trigger: ChildTrigger;
}
interface ItemRow {
  readonly v: number;
  readonly input: string;
}
interface SeenRow {
  readonly v: number;
  readonly answer: CollectAnswer;
  readonly at: number;
}

export const windowMachine: CoordinatorMachine<State> = {
  kind: "window",
  load: (store, header) => ({ header, store }),
  first: (common) => common,
  nextAlarm: ({ open, idleAt }) => open?.startsAt ?? idleAt,
  message: (draft, message: Collect) =>
    message.type === "collect"
      ? { type: "acknowledged", answer: collect(draft, message) }
      : // Newer code sends it.
        { type: "unreachable" },
  command,
  answered: () => {},
  alarm(draft) {
    fireDue(draft);
    forget(draft);
  },
  clockBack(draft, ms) {
    const { open, idleAt } = draft.header;
    draft.change({
      open: open && { ...open, startsAt: open.startsAt - ms, latest: open.latest - ms },
      idleAt: idleAt && idleAt - ms,
      setBackAt: draft.now,
    });
  },
};

/** Commands of the Worker. The reply is a `WindowState`. */
export type WindowCommand =
  /** `runId`: only the window of this run, also between its end and the start of the run. */
  | { readonly type: "read"; readonly runId?: string | undefined }
  /** Starts the run now. */
  | { readonly type: "fire" }
  /** Forgets the triggers. The run never exists. */
  | { readonly type: "cancel" };

/** A window for the API. */
export type WindowState = Omit<WindowRecord, "workflowId" | "key">;

function command(draft: Draft, input: WindowCommand): CommandReply {
  // A start that is due is no longer cancelled.
  if (input.type !== "read") fireDue(draft);
  const { open } = draft.header;
  if (input.type === "read" && input.runId !== undefined && input.runId !== open?.runId)
    return isStarting(draft, input.runId) ?? NO_WINDOW;
  if (open === undefined) return NO_WINDOW;
  if (input.type === "fire") fire(draft, open);
  if (input.type === "cancel") cancel(draft, open);
  const { runId, startsAt, count, settings } = open;
  const state = {
    read: settings.type === "batch" ? "batched" : "debounced",
    fire: "fired",
    cancel: "cancelled",
  } as const;
  const startAt = input.type === "fire" ? draft.now : startsAt;
  const reply = done({ runId, state: state[input.type], startsAt: startAt, count });
  // The window is closed: a read does not find it.
  return input.type === "read" ? reply : { ...reply, keep: true };
}

const NO_WINDOW: CommandReply = {
  type: "refused",
  code: "not_found",
  message: "No trigger of this workflow and key waits. A window is open from its first trigger until its run starts.",
};

function done(body: WindowState): CommandReply & { type: "done" } {
  return { type: "done", body };
}

/** The window is closed, and its run was not created yet. */
function isStarting(draft: Draft, runId: string): CommandReply | undefined {
  for (const [, row] of draft.list(COORDINATOR_OUTBOX))
    if (isOutboxRow(row) && readAddress(row.to).name === runId)
      return done({ runId, state: "fired", startsAt: draft.now });
  return undefined;
}

/** The ids of its deliveries are forgotten too: the answers to them named a run that never exists. */
function cancel(draft: Draft, open: OpenWindow): void {
  for (const [key, row] of draft.list(SEEN_PREFIX))
    if (isSeen(row) && row.answer.type === "collected" && row.answer.runId === open.runId) forgetSeen(draft, key);
  close(draft);
}

function collect(draft: Draft, message: Collect): CollectAnswer {
  fireDue(draft);
  const { deliveryId, trigger, settings } = message;
  const seen = deliveryId === undefined ? undefined : draft.get(SEEN_PREFIX + deliveryId);
  if (isSeen(seen) && !isOld(draft, seen)) return seen.answer;
  const max = HOST_LIMITS.windowDeliveryIds;
  if (deliveryId !== undefined && seen === undefined && (draft.header.seen ?? 0) >= max) {
    sweep(draft, SWEEP_ROWS);
    if ((draft.header.seen ?? 0) >= max) return { type: "full", max };
  }
  // The code of the workflow has changed since.
  const before = draft.header.open;
  if (before !== undefined && before.settings.type !== settings.type) fire(draft, before);
  const bytes = utf8ToBytes(trigger.input).length;
  if (settings.type === "batch") {
    if (bytes > settings.maxBytes) return { type: "too_large", maxBytes: settings.maxBytes };
    const { open } = draft.header;
    if (open !== undefined && open.bytes + bytes > settings.maxBytes) fire(draft, open);
  }
  const open = add(draft, message, bytes);
  const answer: CollectAnswer = { type: "collected", runId: open.runId, startsAt: open.startsAt, count: open.count };
  if (deliveryId !== undefined) {
    draft.put(SEEN_PREFIX + deliveryId, { v: FORMAT_VERSION, answer, at: draft.now } satisfies SeenRow);
    // One that is old was counted.
    if (seen === undefined) draft.change({ seen: (draft.header.seen ?? 0) + 1 });
  }
  if (settings.type === "batch" && open.count >= settings.max) fire(draft, open);
  return answer;
}

/** Adds a trigger to the open window, or opens one. */
function add(draft: Draft, { trigger, settings }: Collect, bytes: number): OpenWindow {
  const { now } = draft;
  const known = draft.header.open;
  const latest = known?.latest ?? now + (settings.type === "debounce" ? settings.maxWaitMs : settings.waitMs);
  const open: OpenWindow = {
    runId: known?.runId ?? trigger.runId,
    settings,
    latest,
    startsAt: settings.type === "batch" ? latest : Math.min(now + settings.waitMs, latest),
    count: (known?.count ?? 0) + 1,
    bytes: (known?.bytes ?? 0) + bytes,
  };
  draft.change({ open, idleAt: undefined });
  const replaces = settings.type === "debounce" && settings.take === "last";
  if (known === undefined || replaces) {
    const { idempotencyKey: _key, ...rest } = trigger;
    draft.put(TRIGGER_KEY, { v: FORMAT_VERSION, trigger: { ...rest, runId: open.runId } } satisfies TriggerRow);
  }
  if (settings.type === "batch")
    draft.put(ITEM_PREFIX + String(open.count).padStart(9, "0"), {
      v: FORMAT_VERSION,
      input: trigger.input,
    } satisfies ItemRow);
  return open;
}

function fireDue(draft: Draft): void {
  const { open } = draft.header;
  if (open !== undefined && open.startsAt <= draft.now) fire(draft, open);
}

/** Starts the run (WI1). */
function fire(draft: Draft, { runId, settings }: OpenWindow): void {
  const row = draft.get(TRIGGER_KEY);
  if (isTrigger(row)) {
    const input = settings.type === "batch" ? listOf(draft) : row.trigger.input;
    draft.post(
      { kind: "run", name: runId },
      { type: "trigger", op: "window/0/start", trigger: { ...row.trigger, input } },
    );
  }
  close(draft);
}

function listOf(draft: Draft): string {
  const inputs = [...draft.list(ITEM_PREFIX)].flatMap(([, row]) => (isItem(row) ? [decodeValue(row.input)] : []));
  return encodeValue(inputs, "the batch");
}

function close(draft: Draft): void {
  const { open } = draft.header;
  draft.delete(TRIGGER_KEY);
  for (const [key] of draft.list(ITEM_PREFIX)) draft.delete(key);
  if (open?.settings.type === "debounce") for (const [key] of draft.list(SEEN_PREFIX)) forgetSeen(draft, key);
  // The delivery ids of a batch are remembered across batches.
  else if (open !== undefined) sweep(draft, open.count);
  draft.change({ open: undefined, idleAt: draft.now + HOST_LIMITS.probeMsMin });
}

/** Deletes old delivery ids of a window that is never idle. It looks at more rows than the batch added. */
function sweep(draft: Draft, added: number): void {
  const { sweptTo } = draft.header;
  const limit = 2 * added + SWEEP_ROWS;
  const rows = [...draft.list(SEEN_PREFIX, { limit, ...(sweptTo === undefined ? {} : { after: sweptTo }) })];
  for (const [key, row] of rows) if (!isSeen(row) || isOld(draft, row)) forgetSeen(draft, key);
  const next = rows.length < limit ? undefined : rows.at(-1)?.[0];
  if (next !== sweptTo) draft.change({ sweptTo: next });
}

function forgetSeen(draft: Draft, key: string): void {
  draft.delete(key);
  draft.change({ seen: Math.max((draft.header.seen ?? 0) - 1, 0) });
}

function isOld(draft: Draft, row: SeenRow): boolean {
  return oldAt(draft, row) <= draft.now;
}

/** When a delivery id is forgotten, ms since 1970. */
function oldAt({ header, now }: Draft, { at }: SeenRow): number {
  return (at > now ? (header.setBackAt ?? at) : at) + HOST_LIMITS.deliveryMemoryMs;
}

/** Deletes what is old, and all rows of an object that nobody uses. */
function forget(draft: Draft): void {
  const { open, idleAt, outbox } = draft.header;
  if (open !== undefined || idleAt === undefined || idleAt > draft.now) return;
  let next: number | undefined;
  for (const [key, row] of draft.list(SEEN_PREFIX)) {
    if (!isSeen(row) || isOld(draft, row)) forgetSeen(draft, key);
    else next = Math.min(next ?? Infinity, oldAt(draft, row));
  }
  if (next === undefined && outbox.count === 0 && !isActRecent(draft)) return draft.erase();
  // Each look reads all of them.
  const lookAt = next === undefined ? draft.now + HOST_LIMITS.probeMsMin : Math.max(next, draft.now + LOOK_MS_MIN);
  draft.change({ idleAt: lookAt });
}

function isTrigger(row: unknown): row is TriggerRow {
  return isObject(row) && "trigger" in row;
}

function isItem(row: unknown): row is ItemRow {
  return isObject(row) && "input" in row;
}

function isSeen(row: unknown): row is SeenRow {
  return isObject(row) && "answer" in row;
}
