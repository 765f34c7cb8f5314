/**
 * The reasons for the state of a run: what it waits for, what executes, and what keeps it from executing (WHY1).
 *
 * Owns: the codes, times and texts. A text has names, codes and cut messages, and no other data of users (WHY2).
 */
import {
  type ErrorValue,
  type OperationId,
  type OperationKind,
  type StepInProgress,
  type WhyCode,
  type WhyEntry,
  defined,
  describeOperation,
  isTerminal,
  parseOperationId,
  showValue,
  shownMessage,
} from "@holdfast/protocol";
import { topicParts } from "../../topic/messages.ts";
import type { StepHold } from "../state/hold.ts";
import { newerFormatError } from "../newer-run.ts";
import { type OpenWait, isDeferred, nextAlarm } from "../state/run-header.ts";
import { isCompensation } from "../unwinding.ts";
import { HIDDEN, type View, shownFailure } from "../state/view.ts";
import type { PendingRetry, WhyFacts } from "./facts.ts";

/** An entry before its actions are known. */
export type Reason = Omit<WhyEntry, "actions"> & { readonly wait?: OpenWait | undefined };

/** The length of messages in entries. The record has the rest. */
const MESSAGE_CHARS = 800;
/** A longer progress is cut. */
const PROGRESS_CHARS = 1_000;

/** The code of an open wait, and of an executing body, by the kind of the operation. */
const WAITS: Readonly<Partial<Record<OperationKind, WhyCode>>> = {
  event: "WAITING_FOR_EVENT",
  signal: "WAITING_FOR_SIGNAL",
  token: "WAITING_FOR_TOKEN",
  run: "WAITING_FOR_CHILD",
};
const BODIES: Readonly<Partial<Record<OperationKind, WhyCode>>> = {
  step: "STEP_EXECUTING",
  compensation: "COMPENSATION_EXECUTING",
  stream: "STREAM_EXECUTING",
};

export function reasonsOf(facts: WhyFacts, view: View): Reason[] {
  const { header, newer } = facts;
  const { status, error, endedAt, updatedAt, waits } = header;
  if (isTerminal(status)) {
    const text = `The run ended: ${status}.`;
    // A cast: each terminal status has a code of its name.
    return [withError({ code: status.toUpperCase() as WhyCode, text, since: endedAt ?? updatedAt }, error, view)];
  }
  if (newer !== undefined) return [{ code: "NEWER_FORMAT", text: newerFormatError(newer).message, since: updatedAt }];
  const executing = (facts.activity?.inProgress ?? []).flatMap(reasonOfBody);
  if (status === "paused") return [reasonOfPause(facts, view), ...executing];
  const keeps = reasonOfAdmission(facts) ?? reasonOfDelay(facts, view);
  const found = [
    ...(keeps === undefined ? [] : [keeps]),
    ...waits.map((wait) => reasonOfWait(wait, facts, view)),
    ...reasonsOfRetries(facts, view),
    ...reasonsOfPlaces(facts),
    ...executing,
  ];
  const rest = reasonOfStatus(facts, view, found, keeps !== undefined || executing.length > 0);
  return rest === undefined ? found : [...found, rest];
}

/** Cuts a long message after a word, and says so. */
function shortened(message: string): string {
  if (message.length <= MESSAGE_CHARS) return message;
  const start = message.slice(0, MESSAGE_CHARS - 1);
  // A text without blanks is cut anywhere, but not within a character.
  const words = /^([^]*\S)\s+\S*$/u.exec(start)?.[1] ?? "";
  return `${words.length > MESSAGE_CHARS / 2 ? words : start.replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Adds an error to an entry: its code, and its message as the view allows. */
function withError(
  reason: Reason,
  error: (Pick<ErrorValue, "code" | "message"> & { readonly name?: string; readonly step?: OperationId }) | undefined,
  view: View,
): Reason {
  if (error === undefined) return reason;
  const failure = shownFailure(error, view);
  const { code, step } = failure;
  const shown = { code, message: shortened(shownMessage(failure)) };
  const where = step === undefined ? "" : ` In ${describeOperation(step)}:`;
  return { ...reason, text: `${reason.text}${where} ${code ?? "Error"}: ${shown.message}`, error: shown };
}

/** Bodies that were in flight continue during a pause. */
function reasonOfPause({ header, lastAt }: WhyFacts, view: View): Reason {
  const { by, at = lastAt, subject = "an operator", reason } = header.paused ?? {};
  if (by === "engine")
    return withError({ code: "PAUSED_BY_ENGINE", text: "The engine paused the run.", since: at }, header.error, view);
  const text = `Paused by ${subject}${reason === undefined ? "." : `: ${shortened(reason)}`}`;
  return { code: "PAUSED_BY_OPERATOR", text, since: at };
}

/** The events of a topic for which the run waits (EVT5). */
function reasonOfTopic(wait: OpenWait, topic: string, { header }: WhyFacts): Reason {
  const { name, key } = topicParts(topic);
  const isFull = header.topics?.some((one) => one.name === topic && one.full === true) === true;
  const what = `the event ${JSON.stringify(name)} with the key ${JSON.stringify(key)}`;
  return {
    code: "WAITING_FOR_TOPIC",
    text: isFull ? `Waits for room: as many runs wait for ${what} as may. It asks again.` : `Waits for ${what}.`,
    since: wait.openedAt,
    until: wait.wakeAt,
    for: parseOperationId(wait.op),
    topic: { name, key, ...(isFull ? { full: true } : {}) },
    link: `/api/topics/${[name, key].map(encodeURIComponent).join("/")}`,
    wait,
  };
}

function reasonOfWait(wait: OpenWait, facts: WhyFacts, view: View): Reason {
  if (wait.topic !== undefined) return reasonOfTopic(wait, wait.topic.name, facts);
  const { header, startingChildren } = facts;
  const { op, openedAt: since, wakeAt, runId, tokenId, start, ask } = wait;
  const isStarting = start === undefined && startingChildren.has(op);
  const target = parseOperationId(op);
  const isHidden = tokenId !== undefined && !view.tokenIds;
  const isNamed = isHidden && target.name === tokenId;
  return {
    code: isStarting ? "CHILD_STARTING" : (WAITS[target.kind] ?? "SLEEPING"),
    text: isStarting
      ? "The start of the child is not acknowledged."
      : `Waits for ${ask === undefined ? (isNamed ? "a token" : describeOperation(op)) : `the answer to “${ask.title}”`}.`,
    since,
    until: isStarting ? header.outbox.retryAt : wakeAt,
    for: { ...target, ...(isNamed ? { name: HIDDEN } : {}), runId, tokenId: isHidden ? undefined : tokenId },
    link: runId === undefined ? undefined : pathOfRun(runId),
    wait,
  };
}

export function pathOfRun(id: string): string {
  return `/api/runs/${encodeURIComponent(id)}`;
}

function reasonOfBody({ op, attempt, startedAt: since, progress }: StepInProgress): Reason[] {
  const target = parseOperationId(op);
  const code = BODIES[target.kind];
  if (code === undefined) return [];
  const shown = progress === undefined ? undefined : showValue(progress, { chars: PROGRESS_CHARS });
  const text = `Attempt ${attempt} of ${describeOperation(op)} executes.`;
  return [{ code, text, since, for: target, attempt, progress: shown }];
}

/** Retries are due on the clock of the journal, which differs from the header's after the clock was set back. */
function reasonsOfRetries({ header, retries, allRetries, activity, lastAt }: WhyFacts, view: View): Reason[] {
  const { retryAt, unwinding, waits, status } = header;
  if (retryAt === undefined) return [];
  const executing = activity?.inProgress.map(({ op }) => op) ?? [];
  const left = retries.filter(({ op }) => !executing.includes(op) && (unwinding === undefined || isCompensation(op)));
  const offset = offsetOf(retries, left, retryAt, allRetries);
  if (left.length > 0 || waits.length > 0 || status !== "waiting" || unwinding !== undefined)
    return left.map((retry) => reasonOfRetry(retry, offset && retry.retryAt + offset.ms, lastAt, view));
  return [{ code: "STEP_RETRYING", text: "A step waits for its next attempt.", since: lastAt, until: retryAt }];
}

/** Returns by how much the clock of the header differs from that of the journal. `undefined`: unknown. */
function offsetOf(
  retries: readonly PendingRetry[],
  left: readonly PendingRetry[],
  retryAt: number,
  all: boolean,
): { readonly ms: number } | undefined {
  if (retries.some((retry) => retry.retryAt === retryAt)) return { ms: 0 };
  return all ? { ms: retryAt - Math.min(...left.map((retry) => retry.retryAt)) } : undefined;
}

function reasonOfRetry(
  { op, attempt: failed, at, error, max }: PendingRetry,
  until: number | undefined,
  lastAt: number,
  view: View,
): Reason {
  const attempt = failed + 1;
  const text = `Attempt ${attempt}${max === undefined ? "" : ` of ${max}`} of ${describeOperation(op)} comes next.`;
  const code: WhyCode = isCompensation(op) ? "COMPENSATION_RETRYING" : "STEP_RETRYING";
  const reason = { code, text, since: at ?? lastAt, until, for: parseOperationId(op), attempt, attemptsMax: max };
  return withError(reason, error, view);
}

/** The limit for which the run waits, or the time at which a rate admits it (L1, FLOW5). */
function reasonOfAdmission({ header: { admission, holds = [] } }: WhyFacts): Reason | undefined {
  if (admission === undefined) return undefined;
  const { since, timeoutAt } = admission;
  const missing = holds.find(({ state }) => state !== "held");
  if (missing === undefined) {
    const until = Math.max(...holds.map(({ startAt = 0 }) => startAt));
    return { code: "RATE_LIMITED", text: "A rate admits the run later.", since, until };
  }
  const { limit: name, key, position } = missing;
  const held = holds.flatMap(({ state, limit }) => (state === "held" ? JSON.stringify(limit) : []));
  const keeps = held.length === 0 ? "" : ` It holds ${held.join(", ")} meanwhile.`;
  return {
    code: "WAITING_FOR_LIMIT",
    text: `Waits for the limit ${JSON.stringify(name)}.${keeps}`,
    since,
    until: timeoutAt,
    limit: defined({ name, key, position }),
    link: linkOf(missing),
  };
}

/** The limits for which steps wait (STEP10). */
function reasonsOfPlaces({ header: { stepHolds = [] }, now }: WhyFacts): Reason[] {
  return stepHolds.flatMap((hold): Reason[] => {
    const { op, limit: name, key, position, startAt = 0, enqueuedAt: since, state } = hold;
    const where = { since, for: parseOperationId(op) };
    const step = describeOperation(op);
    if (state === "wanted") {
      const text = `${step} waits for the limit ${JSON.stringify(name)}.`;
      const limit = defined({ name, key, position });
      return [{ code: "WAITING_FOR_LIMIT", text, ...where, limit, link: linkOf(hold) }];
    }
    if (state === "free" || startAt <= now) return [];
    return [{ code: "RATE_LIMITED", text: `A rate admits ${step} later.`, ...where, until: startAt }];
  });
}

/** The path of a limit. No tenant sees a limit of the deployment (GATE10). */
function linkOf({ limit, key, scope }: Pick<StepHold, "limit" | "key" | "scope">): string | undefined {
  if (scope === "deployment") return undefined;
  return `/api/limits/${[limit, ...(key === undefined ? [] : [key])].map(encodeURIComponent).join("/")}`;
}

/** What keeps a run from executing (DUR5, DUR8, DUR11, DUR12, DUR13). */
function reasonOfDelay({ header, activity, lastAt, now }: WhyFacts, view: View): Reason | undefined {
  const { dispatch, watchdogAt, status } = header;
  if (dispatch !== undefined) {
    const { since, retryAt: until, code = "DISPATCH_FAILED", failures } = dispatch;
    if (!isDeferred(header)) {
      const what = header.undescribed === undefined ? "The dispatch of the run" : UNKNOWN;
      const text = `${what} failed (${failures} in a row).`;
      return withError({ code: "DISPATCH_FAILING", text, since, until }, { ...dispatch, code }, view);
    }
    return code === "EXECUTIONS_MAX"
      ? { code, text: "Waits for a place: as many runs execute as may (EXECUTIONS_MAX).", since, until }
      : { code: "HELD", text: activity?.held === false ? HELD_BEFORE : HELD, since, until };
  }
  if (header.undescribed?.askAt !== undefined)
    return { code: "DISPATCH_FAILING", text: `${UNKNOWN} has no answer yet.`, since: lastAt };
  const due = nextAlarm(header) ?? Infinity;
  const isRunning = status === "running";
  const isLost = isRunning && activity?.live === false;
  if (activity?.held === true && (isLost || due <= now))
    return { code: "HELD", text: HELD, since: isLost ? lastAt : due };
  const { ms = 0, pings = 0 } = activity?.silence ?? {};
  if (!isLost && (!isRunning || pings === 0)) return undefined;
  return isLost
    ? { code: "EXECUTION_LOST", text: "The process of the execution ended.", since: lastAt, until: watchdogAt }
    : { code: "HANDLER_SILENT", text: `Pings without an answer: ${pings}.`, since: now - ms, until: watchdogAt };
}

/** The run waits until its limits are known (L9). */
const UNKNOWN = "The question to the step handler which limits the workflow has";

const HELD = "Held by an operator (HOLD).";
/** Until the first alarm after the hold. */
const HELD_BEFORE = "The hold has ended: the run continues at its next alarm.";

/** What follows from the status alone. `isKnown`: another reason says what executes, or why nothing does. */
function reasonOfStatus(
  { header, lastAt: since }: WhyFacts,
  view: View,
  found: readonly Reason[],
  isKnown: boolean,
): Reason | undefined {
  const { status, unwinding, createdAt, startAt, cleanupBy } = header;
  if (status === "pending" && isKnown) return undefined;
  if (status === "pending") return { code: "DELAYED", text: "The run starts later.", since: createdAt, until: startAt };
  if (unwinding !== undefined) {
    if (found.some(({ code }) => code.startsWith("COMPENSATION_"))) return undefined;
    const isStopped = unwinding.cause === "cancel" || unwinding.cause === "timeout";
    const code = isStopped ? "CLEANING_UP" : "UNWINDING";
    const text = isStopped ? "The stopped run cleans up." : "The run compensates its steps.";
    return withError({ code, text, since, until: isStopped ? cleanupBy : undefined }, unwinding.error, view);
  }
  if (status === "running") return isKnown ? undefined : { code: "EXECUTING", text: "The function executes.", since };
  if (found.length > 0) return undefined;
  return {
    code: "WAITING_FOR_NOTHING",
    text: "The function awaits a promise that no operation of ctx settles.",
    since,
  };
}
