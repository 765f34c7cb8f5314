/**
 * Events: their declarations as data, and their forms in the API (EVT1–EVT12).
 *
 * Owns: the types. The orchestrator checks declarations where a deployment registers workflows.
 */
import type { EncodedValue } from "./values.ts";

/** A value that a predicate compares. */
export type Scalar = string | number | boolean | null;

/** The operators on one path. All of them must hold. */
export interface Condition {
  readonly eq?: Scalar;
  readonly neq?: Scalar;
  readonly in?: readonly Scalar[];
  readonly nin?: readonly Scalar[];
  readonly gt?: number | string;
  readonly gte?: number | string;
  readonly lt?: number | string;
  readonly lte?: number | string;
  readonly exists?: boolean;
  readonly prefix?: string;
  readonly suffix?: string;
}

/**
 * A filter of events as data (EVT2). Keys are paths: `name`, `at`, `source`, `data` or `data.…`. All of them must hold. A path
 * that is missing, or whose value has another type than the operand, does not hold; nothing is converted.
 */
export interface Where {
  readonly and?: readonly Where[];
  readonly or?: readonly Where[];
  readonly not?: Where;
  readonly [path: string]: Condition | Where | readonly Where[] | undefined;
}

/** The input of a run that an event starts: a path into the event, or an object of such inputs. Absent: the data (EVT2). */
export type InputMap = string | { readonly [field: string]: InputMap };

/** An event type as data. */
export interface EventDeclaration {
  readonly name: string;
  /** The path of its key in the data: `orderId`, or `order.id`. */
  readonly key?: string;
  /** Events of this type have a key, which code computes where they are sent. */
  readonly keyed?: true;
  /** How long a topic stores an event, ms. */
  readonly keepMs?: number;
  /** Any Standard Schema of the data. It is not sent: only the process that has the definition knows it. */
  readonly schema?: unknown;
}

/** A filter as data, or where the code is in the Worker a pure function of the data of the event. It matches if it returns `true`. */
export type EventFilter<Data = never> = Where | ((data: Data) => boolean);

/** What makes an event start a run of a workflow. */
export interface TriggerDeclaration {
  /** Unique in its workflow. */
  readonly id: string;
  readonly event: EventDeclaration;
  readonly where?: EventFilter | undefined;
  readonly input?: InputMap | undefined;
}

/** What makes an event cancel a run: its key equals the value at a path in the run's input. */
export interface CancelDeclaration {
  readonly event: EventDeclaration;
  /** A path in the input. */
  readonly key: string;
}

/** What a workflow declares about events. */
export interface EventUse {
  readonly on?: readonly TriggerDeclaration[] | undefined;
  readonly cancelOn?: readonly CancelDeclaration[] | undefined;
  /** The events for which its code waits: the server computes their keys. */
  readonly events?: readonly EventDeclaration[] | undefined;
}

/** The event that started a run. */
export interface StartingEvent {
  readonly id: string;
  readonly name: string;
  readonly trigger: string;
  /** The number of the forced replay of the event (EVT11). */
  readonly replay?: number;
}

/** How the target of an event stands. `pending`: its object has not answered yet. */
export type EventTargetState = "pending" | "started" | "delivered" | "failed";

/** What an event does: it starts a run, or reaches the waits for its key. */
export interface EventTarget {
  /** The trigger and the workflow of the run; absent for a topic. */
  readonly trigger?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  /** The key whose waits get the event; absent for a trigger. */
  readonly topic?: string;
  readonly state: EventTargetState;
  /** Why it failed, or is still pending. */
  readonly code?: string;
  readonly message?: string;
}

/** The answer to an event (EVT1). A duplicate gets the targets of the first answer. */
export interface AcceptedEvent {
  readonly eventId: string;
  readonly state: "accepted" | "duplicate";
  readonly targets: readonly EventTarget[];
}

/** A trigger that an event did not match. */
export interface UnmatchedTrigger {
  readonly trigger: string;
  readonly workflowId: string;
  /** The condition that did not hold. It contains no value of the event, unless a function has thrown one. */
  readonly reason: string;
}

/** A trigger that an event would match, with the input of the run (EVT11). */
export interface MatchedTrigger {
  readonly trigger: string;
  readonly workflowId: string;
  readonly input?: unknown;
}

/** The answer to a test of an event, which has no effect (EVT11). */
export interface TestedEvent {
  readonly key?: string;
  readonly matches: readonly MatchedTrigger[];
  readonly unmatched: readonly UnmatchedTrigger[];
}

/** An event that was accepted, and what became of it. */
export interface EventRecord {
  readonly id: string;
  readonly name: string;
  readonly key?: string;
  readonly source?: string;
  /** When it happened, as its sender says, ms since 1970. */
  readonly at?: number;
  /** When it was accepted, ms since 1970. */
  readonly receivedAt: number;
  readonly data?: unknown;
  readonly by: string;
  readonly targets: readonly EventTarget[];
  readonly unmatched: readonly UnmatchedTrigger[];
  /** Replays of it, oldest first. */
  readonly replays: readonly EventReplay[];
}

export interface EventReplay {
  readonly at: number;
  readonly by: string;
  readonly mode: "missing" | "force";
  readonly targets: number;
}

/** What the replay of one of many events starts. */
export interface ReplayedEvent {
  readonly id: string;
  readonly name: string;
  readonly key?: string;
  readonly receivedAt: number;
  readonly starts: readonly { readonly trigger: string; readonly workflowId: string; readonly runId: string }[];
  /** The key whose waits get the event again. Absent: no wait does. */
  readonly topic?: string;
  /** Why it is not replayed. */
  readonly problem?: string;
}

/** A page of a replay of many events. */
export interface EventsReplayed {
  /** The oldest first. */
  readonly events: readonly ReplayedEvent[];
  readonly nextCursor: string | null;
}

/** An event in a list: without its data. */
export interface ListedEvent extends Pick<EventRecord, "id" | "name" | "key" | "source" | "receivedAt" | "by"> {
  readonly targets: readonly EventTarget[];
  /** How many triggers did not match, and how often it was replayed. */
  readonly unmatched: number;
  readonly replays: number;
}

export interface EventList {
  /** The newest first. */
  readonly events: readonly ListedEvent[];
  readonly nextCursor: string | null;
}

/** A run that waits for the events of a topic. */
export interface TopicSubscriber {
  readonly runId: string;
  /** When it subscribed, or last said that it waits, ms since 1970. */
  readonly since: number;
  /** It has events to get. */
  readonly pending: boolean;
}

/** The events of one name and key, and the runs that wait for them (EVT4). */
export interface TopicRecord {
  readonly name: string;
  readonly key: string;
  /** How long it stores events, ms. */
  readonly keepMs: number;
  /** How many events it stores, and how many it has dropped. */
  readonly events: number;
  readonly dropped: number;
  /** How many runs wait. */
  readonly subscribers: number;
  /** The newest of its events, the newest first. */
  readonly newest: readonly { readonly n: number; readonly id: string; readonly at: number }[];
  /** The first of the runs that wait. */
  readonly waiting: readonly TopicSubscriber[];
}

/** An event that a run sends. */
export interface SendRequest {
  readonly data: EncodedValue;
  readonly key?: string;
  /** Why it is not sent. The refusal is an outcome, so later code with another schema does not change it (EVT16). */
  readonly refused?: string;
}
