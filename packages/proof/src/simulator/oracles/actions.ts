/**
 * Oracle on the list of actions that readers of a record see (ACT1).
 *
 * Owns: the attempt of each action on a copy of the run, and the comparison with the list.
 */
import { ENCODED_ANSWER } from "../answers.ts";
import {
  type HostContext,
  type Input,
  type RunState,
  actionsOf,
  loadRun,
  planResume,
  readJournal,
  transition,
} from "@holdfast/orchestrator";
import { DEFAULT_LIMITS, ENCODED_UNDEFINED, type RunActionName } from "@holdfast/protocol";
import type { MemoryHost } from "@holdfast/workflows/testing";

const INPUTS: Readonly<Partial<Record<RunActionName, Input>>> = {
  pauseRun: { type: "pause" },
  unpauseRun: { type: "unpause" },
  retryRun: { type: "retry" },
  cancelRun: { type: "cancel" },
  terminateRun: { type: "terminate", reason: "by an oracle" },
  deleteRun: { type: "delete" },
};

/** Returns a text for each action that the list accepts and the run refuses, or the reverse. */
export function checkActions({ store, clock }: MemoryHost): string[] {
  const { header } = loadRun(store);
  if (header === undefined) return [];
  const context: HostContext = { now: clock.now(), limits: DEFAULT_LIMITS, live: false, canSend: true };
  return actionsOf(loadRun(store), context).flatMap(({ action, refused }) => {
    const answers = answersTo(action, () => loadRun(store), context);
    const isAccepted = answers.includes(undefined);
    const isSame = isAccepted ? refused === undefined : refused !== undefined && answers.includes(refused.error);
    return isSame ? [] : [`${action} is listed as ${JSON.stringify(refused)} (${header.status}): ${answers.join()}`];
  });
}

/** The refusals of each request that the action may stand for. `undefined`: it is accepted. */
function answersTo(action: RunActionName, copy: () => RunState, context: HostContext): readonly (string | undefined)[] {
  const answerTo = (input: Input): string | undefined => {
    const { reply } = transition(copy(), input, context);
    return reply.type === "refused" ? reply.code : undefined;
  };
  const input = INPUTS[action];
  if (input !== undefined) return [answerTo(input)];
  const state = copy();
  const { header } = state;
  const waits = header?.waits ?? [];
  if (action === "resumeRun") return header === undefined ? [] : resumesOf(state);
  if (action === "resolveToken") {
    const ids = waits.flatMap(({ tokenId }) => tokenId ?? []);
    const answers = ids.map((tokenId) => answerTo({ type: "resolveToken", tokenId, payload: ENCODED_ANSWER }));
    // A time-out that is due is settled first. Then the run waits for no token.
    const isDue = waits.some(({ wakeAt = Infinity }) => wakeAt <= context.now);
    if (answers.length > 0 && !isDue) return answers;
    // Without an open token, the list has the refusal that a token of the past gets.
    return [...answers, "token_not_found", answerTo(delivery("signal", "none")) ?? "token_not_found"];
  }
  const kind = action === "deliverEvent" ? "event" : "signal";
  return [...waits.map(({ name }) => name), "none"].map((name) => answerTo(delivery(kind, name)));
}

function delivery(kind: "event" | "signal", name: string): Input {
  return { type: "deliver", kind, name, payload: ENCODED_UNDEFINED };
}

/** A resume from the step that failed, and from each step. */
function resumesOf(state: RunState): readonly (string | undefined)[] {
  const { header } = state;
  if (header === undefined) return [];
  const journal = readJournal(state);
  const names = journal.flatMap(({ type, op }) => (type.startsWith("step.") ? [op.replace(/^[^/]+\/\d+\//, "")] : []));
  return [undefined, ...new Set(names)].map((resumeFromStep) => {
    const plan = planResume(header, journal, { resumeFromStep, seedResults: [] });
    return "type" in plan ? plan.code : undefined;
  });
}
