/**
 * Detection of data that newer code wrote (VER4).
 *
 * Owns: the checks of rows, messages and reports. `newer-run.ts` decides what happens to a run with such rows.
 */
import {
  type ChildOutcome,
  type EntryBody,
  type ErrorValue,
  type ExecutionEvent,
  FORMAT_VERSION,
  type JournalEntry,
  type OperationId,
  RESERVED_HEADER_FIELDS,
  areKnownFeatures,
  isEnveloped,
  isKnownEntry,
  schemeOf,
} from "@holdfast/protocol";
import { toOrchestrator } from "@holdfast/protocol/messages";
import { type ChildTrigger, type RunMessage, bodiesOf } from "./messages.ts";
import type { InboxRow } from "./rows.ts";
import type { RunHeader } from "./run-header.ts";

/** Describes the first part of a header that this code does not know; `undefined` if it knows all. */
export function newerInHeader(header: RunHeader): string | undefined {
  if (header.v > FORMAT_VERSION) return `the header has format ${header.v}`;
  const field = RESERVED_HEADER_FIELDS.find((name) => name in header && !isKnownField(name, header));
  if (field !== undefined) return `the header has the field ${JSON.stringify(field)}`;
  if (!areFlags(header.flags)) return "the header has replay flags in another form";
  const { input, output, tenantMeta, error, unwinding } = header;
  const values = [input, output, tenantMeta, ...partsOf(error), ...partsOf(unwinding?.error)];
  const more = [...header.metadata.map(([, value]) => value), ...header.waits.map(({ match }) => match)];
  return newerAmong([...values, ...more], "the header");
}

function isKnownField(name: (typeof RESERVED_HEADER_FIELDS)[number], { uses }: RunHeader): boolean {
  return name === "uses" && (uses === undefined || areKnownFeatures(uses));
}

function areFlags(flags: unknown): boolean {
  return flags === undefined || (Array.isArray(flags) && flags.every(Number.isSafeInteger));
}

/** Whether a stored operation id has the form `kind/occurrence/name`. */
export function isOperationId(op: unknown): op is OperationId {
  return typeof op === "string" && /^[a-z]+\/\d+\//.test(op);
}

/** The same for an entry of the journal. */
export function newerInEntry(entry: JournalEntry): string | undefined {
  const where = `journal entry ${entry.seq}`;
  if (entry.v > FORMAT_VERSION) return `${where} has format ${entry.v}`;
  return newerInBody(entry, where) ?? (isOperationId(entry.op) ? undefined : `${where} has an unknown operation`);
}

/** The same for an outcome that a resumed run takes over. `where` names it in the description. */
export function newerInBody(body: EntryBody, where: string): string | undefined {
  if (!isKnownEntry(body)) return `${where} has the type ${JSON.stringify(body.type)}`;
  switch (body.type) {
    case "step.completed":
    case "wait.resolved":
    case "wait.released":
      return newerAmong([body.value], where);
    case "step.failed":
    case "step.retrying":
    case "run.unwinding":
      return newerAmong(partsOf(body.error), where);
    case "child.ended":
      return newerAmong("output" in body.outcome ? [body.outcome.output] : partsOf(body.outcome.error), where);
    case "metadata.changed":
      return newerAmong(["value" in body.change ? body.change.value : undefined], where);
    default:
      return undefined;
  }
}

/** The same for another row. `values`: the encoded values of the row. */
export function newerInRow(row: { readonly v: number }, values: readonly string[], where: string): string | undefined {
  return row.v > FORMAT_VERSION ? `${where} has format ${row.v}` : newerAmong(values, where);
}

/** The same for a buffered delivery. The payload of a child's end is its outcome as JSON. */
export function newerInInbox(row: InboxRow): string | undefined {
  const where = `a delivery of ${JSON.stringify(row.name)}`;
  const newer = newerInRow(row, [row.payload], where);
  if (newer !== undefined || row.kind !== "child") return newer;
  const outcome: ChildOutcome = JSON.parse(row.payload);
  return newerInBody({ type: "child.ended", op: row.name, outcome }, where);
}

/** The encoded parts of an error. */
function partsOf(error: ErrorValue | undefined): readonly (string | undefined)[] {
  return [error?.data, error?.original];
}

function newerAmong(values: readonly (string | undefined)[], where: string): string | undefined {
  const value = values.find((text) => text !== undefined && isEnveloped(text));
  return value === undefined
    ? undefined
    : `${where} contains a value that is encoded as ${JSON.stringify(schemeOf(value))}`;
}

/** The fields of entries that only the orchestrator sets, and the reserved fields of headers. */
const REJECTED_FIELDS = ["v", "seq", "at", "asked", ...RESERVED_HEADER_FIELDS] as const;

/** Describes the first part of a report that this code does not know or accept; `undefined` if it accepts all. */
export function unknownInReport(events: readonly ExecutionEvent[]): string | undefined {
  for (const event of events) {
    if (!Object.hasOwn(toOrchestrator.EVENTS, event.type)) return `an event of the type ${JSON.stringify(event.type)}`;
    const field = event.type === "parked" ? undefined : REJECTED_FIELDS.find((name) => name in event);
    if (field !== undefined) return `an event with the field ${JSON.stringify(field)}`;
    const value = valuesOf(event).find((text) => text !== undefined && isEnveloped(text));
    if (value !== undefined) return `a value that is encoded as ${JSON.stringify(schemeOf(value))}`;
  }
  return undefined;
}

function valuesOf(event: ExecutionEvent): readonly (string | undefined)[] {
  switch (event.type) {
    case "step.completed":
    case "wait.released":
      return [event.value];
    case "step.failed":
    case "run.failed":
    case "run.unwinding":
    case "run.diverged":
      return partsOf(event.error);
    case "run.completed":
      return [event.output];
    case "child.started":
      return [event.input];
    case "wait.opened":
      return [event.match, event.send?.data];
    case "stream.chunks":
      return event.chunks;
    case "metadata.changed":
      return ["value" in event.change ? event.change.value : undefined];
    default:
      return [];
  }
}

/** Whether a message of another run contains data that this code does not know. Its sender keeps such a message. */
export function isNewerMessage(message: RunMessage): boolean {
  switch (message.type) {
    case "trigger":
      return isNewerTrigger(message.trigger);
    case "childEnded": {
      const { outcome, op } = message;
      const entry: EntryBody = { type: "child.ended", op, outcome };
      return newerInBody(entry, "") !== undefined;
    }
    case "cancel":
    case "noteResumed":
    case "grant":
    case "drop":
    case "probeHold":
    case "topicGone":
    case "probeTopic":
      return false;
    case "topicEvent":
      return newerAmong([message.event.data], "") !== undefined;
    default:
      return true;
  }
}

function isNewerTrigger(trigger: ChildTrigger): boolean {
  const { input, tenantMeta, inherited } = trigger;
  const bodies = inherited === undefined ? [] : [...inherited.entries, ...bodiesOf(inherited)];
  return (
    RESERVED_HEADER_FIELDS.some((name) => name in trigger) ||
    !areFlags(inherited?.flags) ||
    newerAmong([input, tenantMeta], "") !== undefined ||
    bodies.some((body) => newerInBody(body, "") !== undefined)
  );
}
