/**
 * Decides what an event does, in the object of the event, before its machine gets the command.
 *
 * Owns: the use of the declarations of this version of the Worker (EVT2). The decision is part of the command, so the machine
 * stores it with the event.
 */
import {
  type DecidingWorkflow,
  type EventCommand,
  type EventDecision,
  type EventMessage,
  type EventOrigin,
  type RawBody,
  type SendEvent,
  type StoredEvent,
  decideEvent,
  keyOf,
} from "@holdfast/orchestrator";
import { HOST_LIMITS, type TestedEvent, showValue } from "@holdfast/protocol";
import { ApiRefusal } from "../refusal.ts";
import { dataIssues } from "./data-check.ts";

/** What the Worker asks of the object of an event. */
export type EventRequest =
  | {
      readonly type: "accept";
      readonly event: StoredEvent;
      readonly origin: EventOrigin;
      readonly digest?: string | undefined;
      readonly raw?: RawBody | undefined;
    }
  /** Nothing is stored. */
  | { readonly type: "test"; readonly event: StoredEvent }
  | { readonly type: "read" }
  | {
      readonly type: "replay";
      readonly mode: "missing" | "force";
      /** The ids of triggers. Absent: all that match. */
      readonly triggers?: readonly string[] | undefined;
      readonly waits: boolean;
      readonly by: string;
      readonly brief?: "dry" | "done" | undefined;
    };

/** The event as it is stored, and how often it was replayed by force. */
export interface WholeEvent {
  readonly event: StoredEvent;
  readonly forced: number;
}

/**
 * Returns the command with its decision. `whole` reads the stored event.
 * @throws ApiRefusal `invalid_body` for an event without a valid key, and for a trigger that no workflow has.
 */
export function withDecision(
  request: Exclude<EventRequest, { type: "test" }>,
  workflows: readonly DecidingWorkflow[],
  whole: () => WholeEvent,
): EventCommand {
  switch (request.type) {
    case "read":
      return request;
    case "accept": {
      const event = withKey(request.event, workflows);
      return { ...request, event, decision: decideEvent(event, workflows) };
    }
    case "replay": {
      const { mode, triggers, waits, by, brief } = request;
      const { event, forced } = whole();
      const decision = decideEvent(event, workflows, mode === "force" ? forced + 1 : undefined);
      return { type: "replay", mode, waits, by, brief, decision: only(decision, event, triggers, workflows) };
    }
  }
}

/** A run sends an event: without a key that can be found it reaches triggers only. */
export function withDecisionOfRun(sent: SendEvent, workflows: readonly DecidingWorkflow[]): EventMessage {
  const found = keyOf(sent.event, workflows);
  const event = "key" in found ? { ...sent.event, key: found.key } : sent.event;
  return { ...sent, event, decision: decideEvent(event, workflows) };
}

/** Returns what an event would do (EVT11). */
export function testEvent(event: StoredEvent, workflows: readonly DecidingWorkflow[]): TestedEvent {
  const keyed = withKey(event, workflows);
  const { runs, unmatched } = decideEvent(keyed, workflows);
  const budget = { chars: HOST_LIMITS.jsonChars };
  const matches = runs.map(({ trigger, workflowId, input }) => ({
    trigger,
    workflowId,
    input: showValue(input, budget),
  }));
  return { ...(keyed.key === undefined ? {} : { key: keyed.key }), matches, unmatched };
}

/** @throws ApiRefusal `invalid_event_data` if a schema of the event's definitions refuses the data (EVT16). */
export async function checkData(event: StoredEvent, workflows: readonly DecidingWorkflow[]): Promise<void> {
  const issues = await dataIssues(event, workflows);
  const [first] = issues;
  if (first === undefined) return;
  const text = `data: does not fit the schema of the event ${JSON.stringify(event.name)}: ${`${first.path} ${first.message}`.trim()}`;
  throw new ApiRefusal("invalid_event_data", text, { issues });
}

function withKey(event: StoredEvent, workflows: readonly DecidingWorkflow[]): StoredEvent {
  const found = keyOf(event, workflows);
  if ("problem" in found) throw new ApiRefusal("invalid_body", `key: ${found.problem}.`);
  return { ...event, key: found.key };
}

/** Keeps the runs of some triggers. A name that is none is a mistake, and would start nothing. */
function only(
  decision: EventDecision,
  { name }: StoredEvent,
  triggers: readonly string[] | undefined,
  workflows: readonly DecidingWorkflow[],
): EventDecision {
  if (triggers === undefined) return decision;
  const served = workflows.flatMap(({ on = [] }) => on.flatMap(({ id, event }) => (event.name === name ? [id] : [])));
  const unknown = triggers.find((trigger) => !served.includes(trigger));
  if (unknown !== undefined) {
    const has = served.length === 0 ? "It has no trigger" : `Its triggers are ${served.join(", ")}`;
    const text = `triggers: the event ${JSON.stringify(name)} has no trigger ${JSON.stringify(unknown)} in this deployment. ${has}.`;
    throw new ApiRefusal("invalid_body", text);
  }
  return { ...decision, runs: decision.runs.filter(({ trigger }) => triggers.includes(trigger)) };
}
