/**
 * Sends events in a world in memory, for the tests of this folder.
 */
import { type DecidingWorkflow, type StoredEvent, decideEvent, keyOf } from "@holdfast/orchestrator";
import { type AcceptedEvent, type Address, type EventRecord, encodeValue } from "@holdfast/protocol";
import type { Workflow } from "@holdfast/workflows";
import type { MemoryHost } from "@holdfast/workflows/testing";

/** Sends a command to a coordinator, as the Worker does. */
export function command(host: MemoryHost, to: Address, sent: object): unknown {
  return host.coordinators.get(to).command(sent);
}

export interface Sent {
  readonly id: string;
  readonly name: string;
  readonly data?: unknown;
  readonly key?: string;
  readonly at?: number;
}

/** Accepts an event as the Worker does. */
export function sendEvent(
  host: MemoryHost,
  { data, ...sent }: Sent,
  workflows: readonly Workflow[] = [],
): AcceptedEvent {
  const deciding = workflows.map(({ id, version, flow }): DecidingWorkflow => ({ id, version, ...flow }));
  const found = keyOf({ ...sent, data: encodeValue(data, "data") }, deciding);
  const event: StoredEvent = {
    ...sent,
    data: encodeValue(data, "data"),
    ...("key" in found ? { key: found.key } : {}),
  };
  const accept = {
    type: "accept",
    event,
    decision: decideEvent(event, deciding),
    origin: { by: "tests", environment: "test" },
  };
  return command(host, { kind: "event", name: event.id }, accept) as AcceptedEvent;
}

export function eventRecord(host: MemoryHost, id: string): EventRecord {
  return command(host, { kind: "event", name: id }, { type: "read" }) as EventRecord;
}
