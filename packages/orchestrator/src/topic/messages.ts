/**
 * The messages between a run, an event and a topic: the object of one event name and key.
 *
 * Owns: their forms on the wire and in the outboxes of all sides, and the name of a topic.
 * Interface: a message is answered with an `acknowledged` result, whose `answer` is the receiver's answer.
 *
 * Invariants
 * - TM1 Every message may be lost, repeated and late. A topic recognises an event by its id, and a subscription of a run by
 *   its `seq`: a run never uses one twice. A run recognises an event by its number `n`.
 * - TM2 Stored rows and objects of another version use these forms. Later versions only add optional fields (VER1).
 */
import type { Address } from "@holdfast/protocol";

/** An event as it is stored. */
export interface StoredEvent {
  readonly id: string;
  readonly name: string;
  /** Encoded. */
  readonly data: string;
  readonly key?: string | undefined;
  /** When it happened, as its sender says, ms since 1970. For readers and filters only (EVT8). */
  readonly at?: number | undefined;
  readonly source?: string | undefined;
}

/** An event as a topic stores and delivers it. */
export interface TopicEvent {
  readonly id: string;
  readonly name: string;
  /** Encoded. */
  readonly data: string;
  /** When it was accepted, ms since 1970. */
  readonly receivedAt: number;
}

/** One subscription of a run. */
export interface SubscriberRef {
  readonly runId: string;
  /** `RunHeader.incarnation`: a later run with this id has another one. */
  readonly incarnation: string;
  /** The number of this subscription in its run and topic, from 1. */
  readonly seq: number;
}

/** Appends an event. Repeated, it keeps its number (EVT4). */
export interface Append {
  readonly type: "append";
  readonly event: TopicEvent;
  readonly keepMs: number;
}

/** A run waits for events of the topic (EVT5). It gets those after `cursor` and since `since`, one after the other. */
export interface Subscribe {
  readonly type: "subscribe";
  readonly run: SubscriberRef;
  /** The number of the last event that the run has seen. */
  readonly cursor?: number | undefined;
  /** Only events that were accepted at or after this time, ms since 1970. */
  readonly since?: number | undefined;
  /** Without a cursor: so many of the newest events. */
  readonly last?: number | undefined;
  /** The run accepts that events between are no longer stored. */
  readonly allowGap?: true | undefined;
  /** Events before this time may be missing, ms since 1970. Absent: it is `since`. */
  readonly gapSince?: number | undefined;
}

/** The run does not wait any more. Ignored if a later subscription is stored. */
export interface Unsubscribe {
  readonly type: "unsubscribe";
  readonly run: SubscriberRef;
}

export type TopicMessage = Append | Subscribe | Unsubscribe;

export type SubscribeAnswer =
  | { readonly type: "subscribed" }
  /** The topic has as many subscribers as it stores. The run asks again (EVT10). */
  | { readonly type: "full"; readonly max: number }
  /** Events that the run wants are no longer stored (EVT5). `at`: the newest of them, ms since 1970. */
  | { readonly type: "history_gone"; readonly at: number };

/** A topic delivers an event. Answered with a `SubscriberAnswer`. */
export interface TopicDelivery {
  readonly type: "topicEvent";
  /** The name of the topic: `topicName`. */
  readonly topic: string;
  readonly run: SubscriberRef;
  readonly n: number;
  readonly event: TopicEvent;
  /** The event was accepted after the topic had shown this time, ms since 1970, from which its clock was set back. */
  readonly later?: number | undefined;
}

/** Events that a subscriber has not got are no longer stored. */
interface TopicGone {
  readonly type: "topicGone";
  readonly topic: string;
  readonly run: SubscriberRef;
  readonly at: number;
}

/** Asks a run whether it still waits (EVT7). */
interface SubscriberProbe {
  readonly type: "probeTopic";
  readonly topic: string;
  readonly run: SubscriberRef;
}

export type SubscriberMessage = TopicDelivery | TopicGone | SubscriberProbe;

/** `waiting`: the run has seen the events up to `cursor`, and waits for the next one. */
export type SubscriberAnswer =
  | { readonly type: "waiting"; readonly cursor?: number | undefined }
  | { readonly type: "not_waiting" };

const KEY = "\u0002";

/** The name of a topic in its tenant. Names of events have no control characters, so no two pairs have the same name. */
export function topicName(name: string, key: string): string {
  return name + KEY + key;
}

export function topicAddress(topic: string): Address {
  return { kind: "topic", name: topic };
}

/** The parts of the name of a topic. */
export function topicParts(topic: string): { readonly name: string; readonly key: string } {
  const at = topic.indexOf(KEY);
  return { name: topic.slice(0, at), key: topic.slice(at + 1) };
}
