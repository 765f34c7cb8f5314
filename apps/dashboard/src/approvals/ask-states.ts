/**
 * The states of the open asks that this tab has shown.
 *
 * Owns: one state for each ask, whichever page shows it: an answer that is half written stays while the reader looks at the
 * run. Another reader who signs in finds none.
 */
import { session } from "../session.ts";
import type { OpenAsk } from "./approval.ts";
import { AskState } from "./ask-state.ts";

const STATES_MAX = 500;

const states = new Map<string, AskState>();
session.subscribe(() => states.clear());

export function askStateOf(ask: OpenAsk): AskState {
  const key = JSON.stringify([ask.runId, ask.op]);
  const known = states.get(key);
  if (known !== undefined && isSame(known.ask.peek(), ask)) {
    known.ask.value = { ...known.ask.peek(), openedAt: ask.openedAt ?? known.ask.peek().openedAt };
    return known;
  }
  const state = new AskState(ask);
  states.set(key, state);
  const [oldest] = states.keys();
  if (states.size > STATES_MAX && oldest !== undefined) states.delete(oldest);
  return state;
}

/** The list may still have an ask that was closed on this page. An operation that asks again has another token. */
function isSame(known: OpenAsk, ask: OpenAsk): boolean {
  return known.tokenId === ask.tokenId && (known.openedAt ?? ask.openedAt) === (ask.openedAt ?? known.openedAt);
}
