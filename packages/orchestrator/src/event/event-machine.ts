/**
 * The object of an event: what it does is stored with it, and carried out (EVT1, EVT3, EVT11). Pure.
 *
 * Owns: the targets of the event, and how each stands. A target is a message in the outbox until its object answers, so no
 * target waits for another. The decision comes with the command: it is made once, by the triggers of that moment.
 *
 * Invariants
 * - EV1 The event, its targets and their messages are one commit. Everything that is answered afterwards is stored.
 * - EV2 The same id again gives the same targets, and changes nothing, as long as the id is known (`eventKeptMs`).
 */
import {
  type EventRecord,
  type EventReplay,
  type EventTarget,
  FORMAT_VERSION,
  HOST_LIMITS,
  type ReplayedEvent,
  type UnmatchedTrigger,
  defined,
  showValue,
} from "@holdfast/protocol";
import {
  type CommandReply,
  COORDINATOR_OUTBOX,
  type CoordinatorDraft,
  type CoordinatorHeader,
  type CoordinatorMachine,
  type CoordinatorState,
  isOutboxRow,
} from "../host/coordinator.ts";
import type { SendResult } from "../host/outbox-sender.ts";
import type { ChildTrigger, RunMessage, SendEvent } from "../run/state/messages.ts";
import { type Append, type StoredEvent, topicAddress, topicName } from "../topic/messages.ts";
import type { DecidedRun, EventDecision } from "./decide.ts";
import { EVENT_LIST, type EventListed } from "./event-list.ts";

/** What the runs that an event starts get of its acceptance. */
export interface EventOrigin {
  readonly by: string;
  readonly tenantId?: string | undefined;
  readonly environment: string;
  readonly tenantMeta?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly traceparent?: string | undefined;
}

interface EventHeader extends CoordinatorHeader, EventOrigin {
  readonly name: string;
  readonly receivedAt: number;
  /** A digest of the request, if another request with the same id is a conflict: one by an idempotency key. */
  readonly digest?: string | undefined;
  readonly targets: readonly EventTarget[];
  readonly unmatched: readonly UnmatchedTrigger[];
  readonly replays: readonly EventReplay[];
  /** How many replays there were: the record lists the newest ones. Absent: earlier code has not counted them. */
  readonly replayed?: number | undefined;
  /** How often runs were started again (EVT11). */
  readonly forced: number;
  /** When pending targets fail (EVT3). */
  readonly giveUpAt: number;
  /** When the event is forgotten, if the clock was set back since it was accepted, ms since 1970. */
  readonly forgetAt?: number | undefined;
}

type EventState = CoordinatorState<EventHeader>;
type EventDraft = CoordinatorDraft<EventState>;

/** The row of the event itself: it is not written again with each change of a target. */
const EVENT_KEY = "event";

interface EventRow {
  readonly v: number;
  readonly event: StoredEvent;
  /** The body of a webhook as it arrived, with the headers of its signature (EVT12). */
  readonly raw?: RawBody | undefined;
}

export interface RawBody {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Commands of the Worker. */
export type EventCommand =
  | {
      readonly type: "accept";
      readonly event: StoredEvent;
      readonly decision: EventDecision;
      readonly origin: EventOrigin;
      readonly digest?: string | undefined;
      readonly raw?: RawBody | undefined;
    }
  /** `whole`: with the event, as it is stored, for a decision about it. */
  | { readonly type: "read"; readonly whole?: boolean }
  | {
      readonly type: "replay";
      readonly mode: "missing" | "force";
      /** The decision of the triggers of now, with the ids of the runs of this replay. */
      readonly decision: EventDecision;
      /** The event is appended to its topic again. */
      readonly waits: boolean;
      readonly by: string;
      /** Answers what starts. Nothing is stored if that is nothing, and with `dry` in any case. */
      readonly brief?: "dry" | "done" | undefined;
    };

/** A run sent the event. The adapter adds the decision to `SendEvent`. */
export interface EventMessage extends SendEvent {
  readonly decision: EventDecision;
}

export const eventMachine: CoordinatorMachine<EventState> = {
  kind: "event",
  load: (store, header) => ({ header, store }),
  first: (common) => ({
    ...common,
    name: "",
    by: "",
    environment: "",
    receivedAt: 0,
    targets: [],
    unmatched: [],
    replays: [],
    forced: 0,
    giveUpAt: 0,
  }),
  nextAlarm: (header) => (header.outbox.count > 0 ? header.giveUpAt : forgetAtOf(header)),
  message: (draft, { event, decision, by, environment, baseUrl }: EventMessage) => {
    const origin = { by, environment, baseUrl, tenantId: draft.header.self.tenantId };
    if (draft.isNew) accept(draft, event, decision, origin);
    return { type: "acknowledged" };
  },
  command: (draft, command: EventCommand) => handle(draft, command),
  keeps,
  answered: (draft, message: RunMessage | Append | EventListed, result) => settle(draft, message, result),
  alarm,
  clockBack: (draft, ms) =>
    draft.change({
      giveUpAt: draft.header.giveUpAt - ms,
      forgetAt: Math.min(forgetAtOf(draft.header), draft.now + HOST_LIMITS.eventKeptMs),
    }),
};

function handle(draft: EventDraft, command: EventCommand): CommandReply {
  switch (command.type) {
    case "accept":
      return acceptOnce(draft, command);
    case "read":
      return draft.isNew ? NOT_FOUND : { type: "done", body: describe(draft, command.whole === true) };
    case "replay":
      return draft.isNew ? NOT_FOUND : replay(draft, command);
  }
}

const NOT_FOUND: CommandReply = {
  type: "refused",
  code: "not_found",
  message: "There is no event with this id. Events are known for 30 days.",
};

function acceptOnce(draft: EventDraft, command: EventCommand & { type: "accept" }): CommandReply {
  const { event, decision, origin, digest, raw } = command;
  const { isNew } = draft;
  if (isNew) {
    accept(draft, event, decision, origin, raw);
    if (digest !== undefined) draft.change({ digest });
  } else if (digest !== undefined && draft.header.digest !== digest) {
    return {
      type: "refused",
      code: "idempotency_conflict",
      message:
        "The idempotency key belongs to another event. Nothing was changed. Choose another key, or repeat the first request exactly.",
    };
  }
  if (!isNew) draft.count("event", "duplicate");
  const targets = draft.header.targets.map(asAccepted);
  return { type: "done", body: { eventId: event.id, state: isNew ? "accepted" : "duplicate", targets } };
}

/** A target as in the first answer: a duplicate gets the same. */
function asAccepted({ trigger, workflowId, runId, topic }: EventTarget): EventTarget {
  return defined({ trigger, workflowId, runId, topic, state: "pending" as const });
}

/** Stores an event with what it does (EV1). */
function accept(
  draft: EventDraft,
  event: StoredEvent,
  { runs, topic, unmatched }: EventDecision,
  origin: EventOrigin,
  raw?: RawBody,
): void {
  draft.put(EVENT_KEY, defined({ v: FORMAT_VERSION, event, raw }) satisfies EventRow);
  draft.change({
    ...origin,
    name: event.name,
    receivedAt: draft.now,
    unmatched,
    giveUpAt: draft.now + HOST_LIMITS.eventTargetMs,
  });
  if (topic !== undefined) {
    addTarget(draft, { topic: topic.key, state: "pending" });
    postToTopic(draft, event, topic.key, topic.keepMs);
  }
  for (const run of runs) start(draft, run, event.id);
  const listed: EventListed = { type: "listed", id: event.id, name: event.name, receivedAt: draft.now };
  draft.ask(EVENT_LIST, listed);
  draft.count("event", "accepted");
}

function addTarget(draft: EventDraft, target: EventTarget): void {
  draft.change({ targets: [...draft.header.targets, target] });
}

function postToTopic(draft: EventDraft, { id, name, data }: StoredEvent, key: string, keepMs: number): void {
  const event = { id, name, data, receivedAt: draft.now };
  draft.post(topicAddress(topicName(name, key)), { type: "append", event, keepMs } satisfies Append);
}

function start(draft: EventDraft, run: DecidedRun, eventId: string): void {
  const { trigger, workflowId, workflowVersion, runId, input, replay: number } = run;
  const { tenantId, environment, tenantMeta, baseUrl, traceparent } = draft.header;
  addTarget(draft, { trigger, workflowId, runId, state: "pending" });
  const started: ChildTrigger = {
    runId,
    tenantId,
    workflowId,
    workflowVersion,
    input,
    tags: [],
    environment,
    tenantMeta,
    triggeredBy: "event",
    idempotencyKey: undefined,
    baseUrl,
    traceparent,
    event: defined({ id: eventId, name: draft.header.name, trigger, replay: number }),
  };
  draft.post({ kind: "run", name: runId }, {
    type: "trigger",
    trigger: defined(started),
    op: `event/0/${trigger}`,
  } satisfies RunMessage);
}

/**
 * The version that decided has the workflow. The object of the run is of another version, in a gradual deployment or after a
 * rollback, so the target stays pending and says why (EVT2, EVT3).
 */
function keeps(draft: EventDraft, message: RunMessage | Append, result: SendResult): boolean {
  if (result.type !== "refused" || result.error.code !== "WORKFLOW_NOT_FOUND") return false;
  changeTarget(draft, message, { state: "pending", code: result.error.code, message: result.error.message });
  return true;
}

/** Notes the answer of a target (EVT3). */
function settle(draft: EventDraft, message: RunMessage | Append | EventListed, result: SendResult): void {
  if (result.type === "unreachable" || message.type === "listed") return;
  const failed = result.type === "refused" ? result.error : undefined;
  const state = failed === undefined ? (message.type === "append" ? "delivered" : "started") : "failed";
  draft.count("target", state);
  changeTarget(draft, message, {
    state,
    ...(failed === undefined ? {} : defined({ code: failed.code, message: failed.message })),
  });
}

function changeTarget(
  draft: EventDraft,
  message: RunMessage | Append,
  patch: Pick<EventTarget, "state" | "code" | "message">,
): void {
  const runId = message.type === "trigger" ? message.trigger.runId : undefined;
  const isIt = (target: EventTarget): boolean => target.state === "pending" && target.runId === runId;
  // A target that waits again for the same reason is no change.
  if (draft.header.targets.some((one) => isIt(one) && patch.state === "pending" && one.code === patch.code)) return;
  const targets = draft.header.targets.map((one) => (isIt(one) ? { ...asAccepted(one), ...patch } : one));
  draft.change({ targets });
}

function alarm(draft: EventDraft): void {
  const { giveUpAt, outbox } = draft.header;
  if (outbox.count > 0 && giveUpAt <= draft.now) giveUp(draft);
  if (draft.header.outbox.count === 0 && forgetAtOf(draft.header) <= draft.now) draft.erase();
}

function forgetAtOf({ receivedAt, forgetAt }: EventHeader): number {
  return forgetAt ?? receivedAt + HOST_LIMITS.eventKeptMs;
}

/** Fails the targets that could not be reached for a day (EVT3). */
function giveUp(draft: EventDraft): void {
  const keys = [...draft.list(COORDINATOR_OUTBOX)].flatMap(([key, row]) => (isOutboxRow(row) ? [key] : []));
  for (const key of keys) draft.removeSent(key);
  for (const { state } of draft.header.targets) if (state === "pending") draft.count("target", "failed");
  const targets = draft.header.targets.map((target) =>
    target.state === "pending"
      ? { code: "UNREACHABLE", message: "It could not be reached for 24 hours.", ...target, state: "failed" as const }
      : target,
  );
  draft.change({ targets });
}

/** Starts runs again, or those that are missing (EVT11). */
function replay(draft: EventDraft, command: EventCommand & { type: "replay" }): CommandReply {
  const { mode, decision, waits, by, brief } = command;
  const stored = draft.get(EVENT_KEY);
  if (!isEventRow(stored)) return NOT_FOUND;
  const { event } = stored;
  const starts = describeStarts(draft, event, command);
  const before = draft.header.targets.length;
  const problem = problemOf(draft, starts);
  if (problem !== undefined && brief === undefined)
    return { type: "refused", code: "not_applicable", message: problem };
  if (problem !== undefined)
    return { type: "done", keep: true, body: { ...starts, starts: [], topic: undefined, problem } };
  if (brief === "dry" || (brief === "done" && starts.starts.length === 0 && starts.topic === undefined))
    return { type: "done", keep: true, body: starts };
  const replayed = (draft.header.replayed ?? draft.header.replays.length) + 1;
  draft.change({ giveUpAt: draft.now + HOST_LIMITS.eventTargetMs });
  for (const run of decision.runs) {
    const known = draft.header.targets.find(({ runId }) => runId === run.runId);
    if (known === undefined) start(draft, run, event.id);
    else if (known.state === "failed") restart(draft, run, event.id);
  }
  if (waits && event.key !== undefined) {
    addTarget(draft, { topic: event.key, state: "pending" });
    postToTopic(
      draft,
      { ...event, id: `${event.id}_r${replayed}` },
      event.key,
      decision.topic?.keepMs ?? HOST_LIMITS.topicKeepMs,
    );
  }
  const targets = draft.header.targets.length - before;
  const entry: EventReplay = { at: draft.now, by, mode, targets };
  const replays = [...draft.header.replays, entry].slice(-HOST_LIMITS.eventReplays);
  draft.change({ replays, replayed, forced: draft.header.forced + (mode === "force" ? 1 : 0) });
  return brief === undefined
    ? { type: "done", body: describe(draft, false) }
    : { type: "done", keep: true, body: starts };
}

/** Why the event is not replayed: its record would grow without a bound. A run that failed to start keeps its target. */
function problemOf({ header: { targets } }: EventDraft, { starts, topic }: ReplayedEvent): string | undefined {
  const known = new Set(targets.map(({ runId }) => runId));
  const added = starts.filter(({ runId }) => !known.has(runId)).length + (topic === undefined ? 0 : 1);
  const max = HOST_LIMITS.eventTargets;
  if (added === 0 || targets.length + added <= max) return undefined;
  return `The event has ${targets.length} targets, and the replay would add ${added}; the limit is ${max}. Nothing was started. Send its data as another event.`;
}

/** What a replay starts. */
function describeStarts(
  draft: EventDraft,
  { id, name, key }: StoredEvent,
  { decision, waits }: EventCommand & { type: "replay" },
): ReplayedEvent {
  const known = new Map(draft.header.targets.map(({ runId, state }) => [runId, state]));
  const missing = decision.runs.filter(({ runId }) => (known.get(runId) ?? "failed") === "failed");
  return defined({
    id,
    name,
    key,
    receivedAt: draft.header.receivedAt,
    starts: missing.map(({ trigger, workflowId, runId }) => ({ trigger, workflowId, runId })),
    topic: waits ? key : undefined,
  });
}

function restart(draft: EventDraft, run: DecidedRun, eventId: string): void {
  draft.change({ targets: draft.header.targets.filter(({ runId }) => runId !== run.runId) });
  start(draft, run, eventId);
}

/** Returns the record. `whole`: the event as it is stored, and how often it was replayed by force. */
function describe(draft: EventDraft, whole: boolean): object {
  const { header } = draft;
  const row = draft.get(EVENT_KEY);
  if (!isEventRow(row)) return {};
  const { event } = row;
  if (whole) return { event, forced: header.forced };
  return defined({
    id: event.id,
    name: event.name,
    key: event.key,
    source: event.source,
    at: event.at,
    receivedAt: header.receivedAt,
    data: showValue(event.data),
    by: header.by,
    targets: header.targets,
    unmatched: header.unmatched,
    replays: header.replays,
  }) satisfies EventRecord;
}

function isEventRow(row: unknown): row is EventRow {
  return typeof row === "object" && row !== null && "event" in row;
}
