/**
 * A run that newer code wrote (VER4).
 *
 * Owns: the refusal of each input, the alarm, and the header that readers see. Only the alarm is written, so the newer code
 * finds the run unchanged, and the alarm continues it.
 */
import { ENCODED_UNDEFINED, FORMAT_VERSION, type JournalEntry, errorValue, isTerminal } from "@holdfast/protocol";
import type { Decision } from "../host/machine-host.ts";
import type { Effect, HostContext, Input, Reply } from "./draft/inputs.ts";
import { newerInEntry } from "./state/newer-format.ts";
import { type RunError, type RunHeader, nextAlarm } from "./state/run-header.ts";
import { INPUT_KEY, readRow } from "./state/rows.ts";
import { type RunState, readInput } from "./state/run-state.ts";

/** The interval of the alarms that check whether newer code is deployed, ms. */
const NEWER_FORMAT_CHECK_MS = 300_000;

export function newerFormatError(newer: string): RunError {
  const error = errorValue(
    "NEWER_FORMAT",
    `Newer code wrote this run: ${newer}. This version shows the run and does not change it. Deploy the newer code again; the run then continues.`,
  );
  return { ...error, category: "RUNTIME_ERROR" };
}

/** Answers an input to a run that newer code wrote. Only the alarm may change. */
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
    case "settle":
    case "sent":
    case "indexed":
      return { batch, effects: [], reply: { type: "done" } };
    default: {
      const { message } = newerFormatError(newer);
      return { batch, effects: [], reply: { type: "refused", code: "newer_format", message } };
    }
  }
}

/** Returns the time of the object's alarm: that of the header, or the next check for newer code. */
export function alarmOf({ header, newer }: RunState, now: number): number | null {
  if (header === undefined) return null;
  if (newer === undefined) return nextAlarm(header);
  const check = now + NEWER_FORMAT_CHECK_MS;
  // A run whose header has a newer format may have pending work that this code cannot read.
  if (header.v > FORMAT_VERSION || !isTerminal(header.status)) return check;
  // An ended run may still have to send messages, update the index or expire. The newer code does that.
  const next = nextAlarm(header);
  return next === null ? null : Math.max(next, check);
}

/** Returns the header that readers see. A run that newer code wrote is shown as paused unless it has ended. */
export function shownHeader({ header, newer }: RunState): RunHeader | undefined {
  if (header === undefined || newer === undefined) return header;
  const readable = header.v > FORMAT_VERSION ? readableFields(header) : header;
  if (isTerminal(readable.status)) return readable;
  return { ...readable, status: "paused", error: newerFormatError(newer) };
}

/**
 * Checks entries that were read for a reader, and marks the run if newer code wrote one of them. Nothing is read if the
 * journal of this run was checked before.
 */
export function markNewer(state: RunState, entries: Iterable<JournalEntry>): void {
  if (state.journalRead) return;
  for (const entry of entries) state.newer ??= newerInEntry(entry);
}

/** Returns the input that readers see; `undefined`, encoded, if a newer format stores it elsewhere. */
export function readShownInput(state: RunState, header: RunHeader): string {
  if (state.newer === undefined) return readInput(state, header);
  const input: unknown = header.input ?? readRow(state.store, INPUT_KEY)?.input;
  return typeof input === "string" ? input : ENCODED_UNDEFINED;
}

/** Returns the plain fields of a header in a newer format whose types this code knows. Other fields get defaults. */
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
