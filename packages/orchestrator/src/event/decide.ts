/**
 * What an event does (EVT1, EVT2): which triggers it matches, and the key whose waits get it.
 *
 * Owns: the decision, as data, and the ids of the runs that events start. It depends on the event and the declarations
 * alone, so a test of an event gives the decision that the event would get (EVT11).
 */
import {
  type EventDeclaration,
  type EventUse,
  HOST_LIMITS,
  HoldfastError,
  type TriggerDeclaration,
  type UnmatchedTrigger,
  decodeValue,
  encodeValue,
  toErrorValue,
} from "@holdfast/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { DeclaringWorkflow } from "../where/declaration.ts";
import type { StoredEvent } from "../topic/messages.ts";
import { type MappedEvent, mapInput } from "../where/input-map.ts";
import { keyProblem, readEventPath, textOfKey } from "../where/paths.ts";
import { mismatch } from "../where/where.ts";

/** A run that an event starts. `input` is encoded. */
export interface DecidedRun {
  readonly trigger: string;
  readonly workflowId: string;
  readonly workflowVersion?: string | undefined;
  readonly runId: string;
  readonly input: string;
  /** The number of the forced replay that starts it (EVT11). */
  readonly replay?: number | undefined;
}

/** A topic that gets an event. */
export interface DecidedTopic {
  readonly key: string;
  readonly keepMs: number;
}

export interface EventDecision {
  readonly runs: readonly DecidedRun[];
  readonly topic?: DecidedTopic | undefined;
  readonly unmatched: readonly UnmatchedTrigger[];
}

/** A workflow of the deployment that decides. */
export interface DecidingWorkflow extends DeclaringWorkflow {
  readonly version?: string | undefined;
}

const BYTES = 20;

/**
 * The id of the run that a trigger starts for an event: the same for each repetition (EVT3). `replay`: the number of the
 * forced replay, which starts another run (EVT11).
 */
export function eventRunId(eventId: string, workflowId: string, trigger: string, replay?: number): string {
  const text = JSON.stringify([eventId, workflowId, trigger]);
  const id = `evt_${bytesToHex(sha256(utf8ToBytes(text)).slice(0, BYTES))}`;
  return replay === undefined ? id : `${id}_r${replay}`;
}

/** The key of an event: that of its sender, or the value at the path that a declaration names. */
export type EventKey = { readonly key?: string } | { readonly problem: string };

/** Finds the key of an event. Declarations of one name may differ between workflows: the first that gives a key counts. */
export function keyOf(
  event: Pick<StoredEvent, "name" | "data" | "key">,
  workflows: readonly DecidingWorkflow[],
): EventKey {
  if (event.key !== undefined) return { key: event.key };
  const declared = declarationsOf(event.name, workflows);
  const path = declared.find(({ key }) => key !== undefined)?.key;
  if (path === undefined) {
    if (!declared.some(({ keyed }) => keyed === true)) return {};
    return {
      problem: `must be sent: code computes the key of ${JSON.stringify(event.name)}, and the server has no path to it`,
    };
  }
  const value = readEventPath(decodeValue(event.data), path);
  if (value === undefined || value === null) return {};
  const key = textOfKey(value);
  const problem = keyProblem(key);
  if (problem === undefined && typeof key === "string") return { key };
  return { problem: `the value at ${path} cannot be a key: it ${problem}` };
}

/** All declarations of an event's name. */
export function declarationsOf(name: string, workflows: readonly EventUse[]): readonly EventDeclaration[] {
  return workflows
    .flatMap(({ on = [], cancelOn = [], events = [] }) => [
      ...on.map(({ event }) => event),
      ...cancelOn.map(({ event }) => event),
      ...events,
    ])
    .filter((event) => event.name === name);
}

/** Decides what an event does. `event.key`: the result of `keyOf`. `replay`: see `eventRunId`. */
export function decideEvent(
  event: StoredEvent,
  workflows: readonly DecidingWorkflow[],
  replay?: number,
): EventDecision {
  const read: MappedEvent = { ...event, data: decodeValue(event.data) };
  const runs: DecidedRun[] = [];
  const unmatched: UnmatchedTrigger[] = [];
  for (const { id: workflowId, version, on = [] } of workflows) {
    for (const { id: trigger, event: declared, where, input } of on) {
      if (declared.name !== event.name) continue;
      const mapped = inputOf(where, input, read, event.data);
      if ("reason" in mapped) {
        const { reason } = mapped;
        if (unmatched.length < HOST_LIMITS.eventUnmatched) unmatched.push({ trigger, workflowId, reason });
        continue;
      }
      const runId = eventRunId(event.id, workflowId, trigger, replay);
      runs.push({ trigger, workflowId, workflowVersion: version, runId, input: mapped.input, replay });
    }
  }
  return { runs, topic: topicOf(event, workflows), unmatched };
}

/** The encoded input of the run that a trigger starts, or why it starts none. One trigger harms no other (EVT3). */
function inputOf(
  where: TriggerDeclaration["where"],
  map: TriggerDeclaration["input"],
  event: MappedEvent,
  data: string,
): { readonly input: string } | { readonly reason: string } {
  const reason = typeof where === "function" ? refusal(where, data) : mismatch(where, event);
  if (reason !== undefined) return { reason };
  try {
    return { input: encodeValue(mapInput(map, event), "The input") };
  } catch (error) {
    if (error instanceof HoldfastError) return { reason: error.message };
    throw error;
  }
}

/** Why a function does not match; `undefined`: it matches. It gets the data for itself, so no other trigger sees what it changes. */
function refusal(where: (data: never) => unknown, data: string): string | undefined {
  try {
    const answer = Reflect.apply(where, undefined, [decodeValue(data)]);
    if (typeof answer === "boolean") return answer ? undefined : "where: the function returned false";
    return "where: the function returned no boolean, so it does not match";
  } catch (error) {
    return `where: the function threw ${toErrorValue(error).message}`;
  }
}

/** The topic that gets an event: one with a key (EVT9). */
function topicOf({ key, name }: StoredEvent, workflows: readonly DecidingWorkflow[]): DecidedTopic | undefined {
  if (key === undefined) return undefined;
  const keeps = declarationsOf(name, workflows).flatMap(({ keepMs }) => (keepMs === undefined ? [] : [keepMs]));
  return { key, keepMs: keeps.length === 0 ? HOST_LIMITS.topicKeepMs : Math.max(...keeps) };
}
