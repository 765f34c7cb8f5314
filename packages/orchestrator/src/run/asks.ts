/**
 * Asks: waits for a token that ask a person something.
 *
 * Owns: which asks of a run are open (ASK5), and the check of an answer (ASK4).
 *
 * Invariants
 * - AK1 An ask never changes after its wait has opened: the code may be deployed with another text meanwhile. Replay does not
 *   compare it.
 */
import {
  type AnswerIssue,
  type Ask,
  HOST_LIMITS,
  type OperationId,
  decodeValue,
  encodeValue,
  invalid,
  isTerminal,
} from "@holdfast/protocol";
import { answerIssues } from "../json-schema/answer.ts";
import { readAsk } from "./ask-check.ts";
import type { Draft } from "./draft/draft.ts";
import { markFeature } from "./releases.ts";
import type { OpenWait, Release, RunHeader } from "./state/run-header.ts";

/** The feature of waits whose answers older versions would not check (VER4). */
const FEATURE = "asks";

/** A wait with an ask that was not answered. */
export type OpenAsk = OpenWait & { readonly ask: Ask };

/** The open asks of a run, oldest first. A run that has ended or unwinds waits for nothing. */
export function openAsks({ waits, status, unwinding }: RunHeader): readonly OpenAsk[] {
  if (isTerminal(status) || unwinding !== undefined) return [];
  return waits.filter((wait): wait is OpenAsk => wait.ask !== undefined && wait.answered === undefined);
}

/** Reads the ask of a wait that opens. An ask that is refused lets its wait go: it rejects with the reason (ASK2). */
export function readOpened(draft: Draft, text: string | undefined): { readonly ask?: Ask; readonly refused?: Release } {
  if (text === undefined) return {};
  const read = openAsks(draft.header).length < HOST_LIMITS.openAsks ? readAsk(text) : { problem: FULL };
  if ("problem" in read) return { refused: { value: encodeValue(invalid("ctx.waitForToken", read.problem), "error") } };
  markFeature(draft, FEATURE);
  return read;
}

const FULL = `the run has ${HOST_LIMITS.openAsks} open asks, which is the limit. Await some of them first, or ask in child runs.`;

/** Returns what is wrong with an answer; empty: nothing (ASK4). */
export function issuesOfAnswer({ schema, choices }: Ask, payload: string): readonly AnswerIssue[] {
  if (schema === undefined && choices === undefined) return [];
  const rule = schema ?? { enum: choices?.map(({ value }) => value) };
  return answerIssues(rule, decodeValue(payload));
}

/** Marks an ask as answered: the run is paused, and takes the answer when the pause is over (CAN6). */
export function markAnswered(draft: Draft, op: OperationId, by: string | undefined): void {
  const waits = draft.header.waits.map((wait) =>
    wait.op === op && wait.ask !== undefined ? { ...wait, answered: by ?? "" } : wait,
  );
  draft.change({ waits });
}
