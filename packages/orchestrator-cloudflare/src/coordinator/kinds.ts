/**
 * The kinds of coordinators.
 *
 * Owns: the table of them. A kind plugs in with one line here: a `CoordinatorMachine` of the orchestrator, whose `kind` is in
 * the addresses of its objects (`AddressKind`).
 *
 * What a kind gets by that: its objects, with a name of kind, tenant and name; messages of runs and other coordinators,
 * which are posted to the address `{ kind, name }`; commands of the Worker (`api/call/coordinators.ts`); its alarm; an outbox for
 * its messages to other objects; and `HOLD`. The machine is pure, and reports everything by its `CoordinatorDraft`.
 */
import {
  type CoordinatorMachine,
  eventList,
  eventMachine,
  gate,
  gateList,
  scheduleList,
  scheduleMachine,
  topicMachine,
  windowMachine,
} from "@holdfast/orchestrator";

const KINDS: readonly CoordinatorMachine[] = [
  gate,
  gateList,
  scheduleMachine,
  scheduleList,
  eventMachine,
  eventList,
  topicMachine,
  windowMachine,
];

/** Returns the machine of a kind; `undefined`: only newer code has this kind. */
export function machineOf(kind: string, kinds: readonly CoordinatorMachine[] = KINDS): CoordinatorMachine | undefined {
  return kinds.find((machine) => machine.kind === kind);
}
