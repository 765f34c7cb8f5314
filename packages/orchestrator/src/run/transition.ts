/**
 * The transition function of a run: it decides about each input.
 *
 * Owns: the dispatch of inputs. The function is pure and synchronous: the same state, input and context give the same
 * result, and the state does not change, except for what `prepareStart` and `checkUnreadRows` read into it. The host commits `batch`, applies
 * it, then performs `effects`.
 *
 * Invariants
 * - T1 Each transition settles the timers that are due before the input.
 * - T2 A rejected input causes no change; only due timers do (LIM2).
 * - T3 After each transition a run that is neither ended, paused nor waiting only for a message has a timer (DUR5), and a
 *   running run has an execution or starts one. Exception: a repeated trigger changes nothing, so the timer replaces a
 *   lost execution. `checkedTransition` asserts this.
 * - T4 No input changes a run that newer code wrote (VER4).
 */
import { HOST_LIMITS } from "@holdfast/protocol";
import type { Decision } from "../host/machine-host.ts";
import { fromGate } from "./admission.ts";
import { audit, replyToRepeated } from "./draft/audit.ts";
import { cancel, settleCleanup, stopDeadlocked } from "./cancel.ts";
import { messageSent } from "./children.ts";
import { childEnded, deliver, resolveToken } from "./deliver.ts";
import { described } from "./described.ts";
import { Draft } from "./draft/draft.ts";
import { restate } from "./holds.ts";
import { indexed, markIndex, reindex } from "./index-mark.ts";
import type { Effect, HostContext, Input, Reply } from "./draft/inputs.ts";
import { mayDelete, pause, retry, unpause } from "./operate.ts";
import { executionLost, recoverLostExecution } from "./recovery.ts";
import { checkedLoss } from "./received.ts";
import { report } from "./report.ts";
import { nextAlarm } from "./state/run-header.ts";
import { noteResumed } from "./resume.ts";
import { refuseNewer } from "./newer-run.ts";
import { type RunState, checkUnreadRows, prepareStart } from "./state/run-state.ts";
import { restatePlaces, syncPlaces } from "./step-holds.ts";
import { terminate } from "./terminate.ts";
import { restored } from "./restored.ts";
import { settleDueTimers } from "./timers.ts";
import { NOT_WAITING, syncTopics, topicMessage } from "./topics.ts";
import { trigger } from "./trigger.ts";

export type Transition = Decision<Effect, Reply>;

/** Actions of callers, which are rare: the rows that loading does not read are checked before them. */
const CHECKS_ROWS: ReadonlySet<Input["type"]> = new Set(["cancel", "terminate", "pause", "unpause", "retry", "delete"]);

export function transition(state: RunState, input: Input, context: HostContext): Transition {
  if (CHECKS_ROWS.has(input.type)) checkUnreadRows(state);
  if (state.newer !== undefined) return refuseNewer(state, state.newer, input, context);
  const decided = decide(state, input, context);
  const starts = decided.effects.some(({ type }) => type === "start");
  if (starts && state.header !== undefined) prepareStart(state, state.header);
  // `prepareStart` may have found rows of newer code. The decision is discarded then.
  return state.newer === undefined ? decided : refuseNewer(state, state.newer, input, context);
}

function decide(state: RunState, input: Input, context: HostContext): Transition {
  if (input.type === "alarm" && context.held === true) return holdAlarm(state, context);
  if (input.type === "trigger") {
    const [draft, reply] = trigger(state, input, context);
    return finish(draft, reply, input);
  }
  const draft = new Draft(state, context);
  if (state.header === undefined) return finish(draft, refuseUnknown(input), input);
  settleDueTimers(draft);
  const before = draft.header;
  const reply = replyToRepeated(draft, input) ?? handle(draft, input);
  audit(draft, input, before);
  recoverLostExecution(draft);
  settleCleanup(draft);
  return finish(draft, reply, input);
}

/** An alarm of a deployment that an operator holds fires again later, and does nothing else (DUR12). */
function holdAlarm({ header }: RunState, { now }: HostContext): Transition {
  const alarm = header === undefined || nextAlarm(header) === null ? null : now + HOST_LIMITS.heldAlarmMs;
  return { batch: { puts: new Map(), deletes: new Set(), alarm }, effects: [], reply: { type: "done" } };
}

function handle(draft: Draft, input: Exclude<Input, { type: "trigger" }>): Reply {
  switch (input.type) {
    case "report":
      return report(draft, input);
    case "deliver":
      return deliver(draft, input);
    case "resolveToken":
      return resolveToken(draft, input);
    case "cancel":
      return cancel(draft, input);
    case "terminate":
      return terminate(draft, input);
    case "pause":
      return pause(draft, input);
    case "unpause":
      return unpause(draft);
    case "retry":
      return retry(draft);
    case "reindex":
      return reindexed(draft, input);
    case "delete":
      return mayDelete(draft);
    case "noteResumed":
      return noteResumed(draft, input);
    case "restateHolds":
      return restated(draft);
    case "lost":
      return lost(draft, input);
    default:
      return handleMessage(draft, input);
  }
}

/** What other objects say, and what the host learns from them. */
function handleMessage(draft: Draft, input: Input): Reply {
  switch (input.type) {
    case "fromGate":
      return fromGate(draft, input.message);
    case "fromTopic":
      return topicMessage(draft, input.message);
    case "childEnded":
      return childEnded(draft, input);
    case "sent":
      return messageSent(draft, input);
    case "indexed":
      return indexed(draft, input);
    case "described":
      return described(draft, input);
    case "deadlock":
      return stopDeadlocked(draft, input.found);
    default:
      return { type: "done" };
  }
}

function reindexed(draft: Draft, input: Input & { type: "reindex" }): Reply {
  if (input.restored === true) restored(draft);
  return reindex(draft);
}

function restated(draft: Draft): Reply {
  restatePlaces(draft);
  return restate(draft);
}

function lost(draft: Draft, { epoch, error }: Input & { type: "lost" }): Reply {
  executionLost(draft, epoch, checkedLoss(error));
  return { type: "done" };
}

function finish(draft: Draft, reply: Reply, input: Input): Transition {
  syncTopics(draft);
  syncPlaces(draft);
  markIndex(draft);
  // The execution that reports gets the entries as its answer; otherwise it gets them as an update.
  const answered = reply.type === "report" && reply.answer.accepted;
  return { batch: draft.batch(input.type === "alarm"), effects: draft.effects(answered), reply };
}

/** Inputs that are ignored when the run does not exist: alarms, late acknowledgements, ends of children. */
const IGNORED_WITHOUT_RUN: ReadonlySet<Input["type"]> = new Set([
  "alarm",
  "settle",
  "childEnded",
  "sent",
  "indexed",
  "described",
  "deadlock",
]);

function refuseUnknown(input: Input): Reply {
  if (IGNORED_WITHOUT_RUN.has(input.type)) return { type: "done" };
  if (input.type === "report") return { type: "report", answer: { accepted: false, reason: "superseded" } };
  if (input.type === "fromTopic") return NOT_WAITING;
  return { type: "refused", code: "not_found", message: "There is no such run." };
}
