/**
 * A run that newer code wrote (VER4).
 *
 * Owns: refusing every input to it, when it is looked at again, and its header as readers see it. Nothing is written, so
 * the run is as it was when the newer code is deployed again, and its alarm continues it then.
 */
import { ENCODED_UNDEFINED, FORMAT_VERSION, type JournalEntry, errorValue, isTerminal } from "@holdfast/protocol";
import type { Decision } from "../host/machine-host.ts";
import type { Effect, HostContext, Input, Reply } from "./inputs.ts";
import { newerInEntry } from "./newer-format.ts";
import { type RunError, type RunHeader, nextAlarm } from "./run-header.ts";
import { INPUT_KEY, readRow } from "./rows.ts";
import { type RunState, readInput } from "./run-state.ts";

/** How long after an alarm the object looks again whether newer code is deployed. */
const NEWER_FORMAT_CHECK_MS = 300_000;

export function newerFormatError(newer: string): RunError {
  const error = errorValue(
    "NEWER_FORMAT",
    `Newer code wrote this run: ${newer}. This version shows the run and changes nothing. Deploy the newer code again; the run continues then.`,
  );
  return { ...error, category: "RUNTIME_ERROR" };
}

/** The answer to an input for a run that newer code wrote. Nothing changes but the alarm. */
export function refuseNewer(
  state: RunState,
  newer: string,
  input: Input,
  { now }: HostContext,
): Decision<Effect, Reply> {
  const batch = { puts: new Map<string, object>(), deletes: new Set<string>() };
  switch (input.type) {
    case "alarm": {
      const alarm = alarmOf(state, now);
      return { batch: alarm === null ? batch : { ...batch, alarm }, effects: [], reply: { type: "done" } };
    }
    case "report":
      return { batch, effects: [], reply: { type: "report", answer: { accepted: false, reason: "superseded" } } };
    case "lost":
    case "sent":
    case "indexed":
      return { batch, effects: [], reply: { type: "done" } };
    default: {
      const { message } = newerFormatError(newer);
      return { batch, effects: [], reply: { type: "refused", code: "newer_format", message } };
    }
  }
}

/** When the object must be woken: as the header says, or to look for newer code. */
export function alarmOf({ header, newer }: RunState, now: number): number | null {
  if (header === undefined) return null;
  if (newer === undefined) return nextAlarm(header);
  const check = now + NEWER_FORMAT_CHECK_MS;
  // Of a header in a newer format nothing says that it has nothing left to do.
  if (header.v > FORMAT_VERSION || !isTerminal(header.status)) return check;
  // A run that has ended still sends messages, updates the index and expires: the newer code does that.
  const next = nextAlarm(header);
  return next === null ? null : Math.max(next, check);
}

/** The header as readers see it: a run that newer code wrote is paused, unless it has ended. */
export function shownHeader({ header, newer }: RunState): RunHeader | undefined {
  if (header === undefined || newer === undefined) return header;
  const readable = header.v > FORMAT_VERSION ? readableFields(header) : header;
  if (isTerminal(readable.status)) return readable;
  return { ...readable, status: "paused", error: newerFormatError(newer) };
}

/** Rows of the journal were read for a reader: what newer code wrote is noticed. */
export function noticeNewer(state: RunState, entries: readonly JournalEntry[]): void {
  for (const entry of entries) state.newer ??= newerInEntry(entry);
}

/** The input as readers see it: in a newer format it may be kept elsewhere. */
export function readShownInput(state: RunState, header: RunHeader): string {
  if (state.newer === undefined) return readInput(state, header);
  const input: unknown = header.input ?? readRow(state.store, INPUT_KEY)?.input;
  return typeof input === "string" ? input : ENCODED_UNDEFINED;
}

/** Of a header in a newer format, what has the form that this code knows. */
function readableFields(header: RunHeader): RunHeader {
  const plain = Object.entries(header).filter(([key, value]) => {
    // A cast: a key of a newer format may be missing in the table, which gives `undefined`.
    const expected: unknown = UNREADABLE[key as keyof RunHeader];
    return typeof value === typeof expected && typeof value !== "object";
  });
  return { ...UNREADABLE, ...Object.fromEntries(plain) };
}

const UNREADABLE: RunHeader = {
  v: FORMAT_VERSION,
  id: "",
  tenantId: "",
  workflowId: "",
  workflowVersion: "",
  status: "paused",
  tags: [],
  environment: "",
  triggeredBy: "",
  seed: "",
  number: 1,
  resumedBy: [],
  metadata: [],
  streams: [],
  createdAt: 0,
  updatedAt: 0,
  epoch: 0,
  asked: 0,
  waits: [],
  inbox: { count: 0, chars: 0, next: 1 },
  deliveryIds: 0,
  outbox: { count: 0, next: 1, failures: 0 },
};
