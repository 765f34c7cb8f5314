/**
 * The transition with assertions of its invariants. Tests and the simulator pass it to the host.
 *
 * Owns: T3, H2, AS2 and HO1 as assertions.
 */
import { assert, isTerminal } from "@holdfast/protocol";
import { storedAfter } from "./state/header-rows.ts";
import type { HostContext, Input } from "./draft/inputs.ts";
import { type RunHeader, nextAlarm } from "./state/run-header.ts";
import type { RunState } from "./state/run-state.ts";
import { OUTBOX_PREFIX, listRows } from "./state/rows.ts";
import { type Transition, transition } from "./transition.ts";

/** @throws Error if the transition violates T3, H2, AS2 or HO1. */
export function checkedTransition(state: RunState, input: Input, context: HostContext): Transition {
  const decided = transition(state, input, context);
  if (state.newer !== undefined) return decided;
  const { header: after } = storedAfter(state, decided.batch);
  if (after !== undefined) {
    if (after.outbox !== state.header?.outbox) checkOutbox(after, state, decided);
    if (context.held !== true || input.type !== "alarm") checkAlarm(state.header, after, input, decided);
    // A repeated trigger changes nothing: the alarm that is already set replaces a lost execution.
    if (input.type !== "trigger" || state.header === undefined) checkDriven(after, context, decided);
  }
  return decided;
}

/** H2: the alarm of the object is the next due time of the header. An alarm that fired is no longer set. */
function checkAlarm(before: RunHeader | undefined, after: RunHeader, input: Input, { batch }: Transition): void {
  const set = before === undefined || input.type === "alarm" ? null : nextAlarm(before);
  const alarm = batch.alarm === undefined ? set : batch.alarm;
  assert(alarm === nextAlarm(after), `H2: the alarm is ${alarm} and the next due time ${nextAlarm(after)}`);
}

/** The assertion reads each row, so it leaves out large outboxes. */
const OUTBOX_ROWS_MAX = 200;

/** AS2: the outbox counts its rows without the starts that were acknowledged. */
function checkOutbox({ outbox, waits }: RunHeader, { store }: RunState, { batch }: Transition): void {
  const keys = new Set([...listRows(store, OUTBOX_PREFIX, { limit: OUTBOX_ROWS_MAX })].map(([key]) => key));
  if (keys.size === OUTBOX_ROWS_MAX) return;
  for (const key of batch.puts.keys()) if (key.startsWith(OUTBOX_PREFIX)) keys.add(key);
  for (const key of batch.deletes) keys.delete(key);
  const acknowledged = waits.filter(({ start }) => start !== undefined).length;
  assert(
    outbox.count === keys.size - acknowledged,
    `AS2: the outbox counts ${outbox.count} of ${keys.size} rows, ${acknowledged} of them acknowledged`,
  );
}

/** T3: an execution or a timer drives each run that waits for more than a message from outside. */
function checkDriven(header: RunHeader, { live, held }: HostContext, { effects }: Transition): void {
  // The alarm that is set drives it when the deployment is no longer held.
  if (held === true) return;
  const { status, startAt, watchdogAt, dispatch, admission, undescribed } = header;
  checkHolds(header);
  const stays = undescribed === undefined || isTerminal(status) || status === "pending" || status === "paused";
  assert(stays && (undescribed === undefined || header.epoch === 0), "UD1: an undescribed run executes nothing");
  if (isTerminal(status) || status === "paused" || status === "waiting") {
    assert(watchdogAt === undefined, `T3: a run that is ${status} has no watchdog`);
    return;
  }
  if (status === "pending")
    return assert(
      (startAt ?? admission ?? undescribed?.askAt ?? dispatch?.retryAt) !== undefined,
      "T3: a pending run has a time at which it starts",
    );
  const starts = effects.some(({ type }) => type === "start");
  const keeps = live && !effects.some(({ type }) => type === "abort");
  const retries = dispatch?.retryAt !== undefined;
  assert(starts || keeps || retries, "T3: a running run has an execution or starts one");
  assert(watchdogAt !== undefined || retries, "T3: a running run has a timer");
}

/** HO1: a running run holds each of its limits. T3: a run that waits for one has a message or a timer. */
function checkHolds(header: RunHeader): void {
  const { status, holds = [], admission } = header;
  const holdsAll = holds.every(({ state }) => state === "held");
  assert(status !== "running" || (holdsAll && admission === undefined), "HO1: a running run holds its limits");
  if (!isTerminal(status)) return assertDriven(header);
  assert(
    holds.every(({ state }) => state === "free"),
    "HO1: an ended run holds nothing",
  );
}

function assertDriven(header: RunHeader): void {
  const waits = header.admission !== undefined && header.status !== "paused";
  assert(!waits || nextAlarm(header) !== null, "T3: a run that waits for a limit has a timer");
}
