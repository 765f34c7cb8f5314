/**
 * Why a run is in its state: what it waits for, since when, until when, and which actions help (WHY1).
 *
 * Owns: the order, the bound and the actions of the entries. A pure function of `WhyFacts`: nothing is read and nothing is
 * stored.
 *
 * Invariants
 * - WY2 Every run has an entry.
 * - WY3 `until` is the time of a timer of the header. `since` is not in the future.
 * - WY4 The API accepts each action that is listed. While a timer is due, none is: the next input settles it first.
 */
import {
  HOST_LIMITS,
  WHY_ACTIONS,
  WHY_CODES,
  type WhyAction,
  type WhyActionName,
  type WhyCode,
  type WhyEntry,
  isTerminal,
} from "@holdfast/protocol";
import { EMPTY_OUTBOX } from "../../host/outbox.ts";
import { type OpenWait, type RunHeader, nextAlarm } from "../state/run-header.ts";
import type { View } from "../state/view.ts";
import type { WhyFacts } from "./facts.ts";
import { type Reason, pathOfRun, reasonsOf } from "./reasons.ts";

/** The codes in the order of the entries. */
const ORDER: readonly string[] = Object.keys(WHY_CODES);

/** Returns why the run is in its state. The entry to act on first is first. */
export function whyOf(facts: WhyFacts, view: View, most: number = HOST_LIMITS.whyEntries): WhyEntry[] {
  const { header, now, newer } = facts;
  const all = reasonsOf(facts, view).map((reason) => ({ ...reason, since: Math.min(reason.since, now) }));
  all.sort(compare);
  const acts = newer === undefined && !isTimerDue(header, now);
  const listed = all.slice(0, most).map(({ wait, ...reason }): WhyEntry => {
    const helping = acts ? helpOf(reason.code, header) : [];
    return { ...reason, actions: helping.map((action) => actionOn(header.id, action, wait, view)) };
  });
  const left = all.slice(most);
  return left.length === 0 ? listed : [...listed, moreOf(left, left.length)];
}

/** The actions that help. A cancel ends an undescribed run at once: it has executed nothing. */
function helpOf(code: WhyCode, { undescribed, status }: RunHeader): readonly WhyActionName[] {
  const isNew = code === "DISPATCH_FAILING" && undescribed !== undefined && status === "pending";
  return isNew ? ["cancelRun", ...WHY_CODES[code]] : WHY_CODES[code];
}

/** The order of the codes, then of the deadlines, then of the ages. Two that have no deadline differ by no number. */
function compare(one: Reason, other: Reason): number {
  const rank = ORDER.indexOf(one.code) - ORDER.indexOf(other.code);
  return rank || (one.until ?? Infinity) - (other.until ?? Infinity) || one.since - other.since;
}

/** Whether the next input finds a timer due that may change the state of the run. */
function isTimerDue(header: RunHeader, now: number): boolean {
  if (isTerminal(header.status) || header.status === "paused") return false;
  const at = nextAlarm({ ...header, outbox: EMPTY_OUTBOX, index: undefined, watchdogAt: undefined });
  return at !== null && at <= now;
}

/** The last entry of a list: how many reasons or children it leaves out. */
export function moreOf(left: readonly Pick<WhyEntry, "since">[], more: number): WhyEntry {
  const since = Math.min(...left.map((reason) => reason.since));
  return { code: "MORE", text: `${more} more are not listed.`, since, more, actions: [] };
}

/** Returns an action on a run. `wait`: the wait that it settles. */
function actionOn(runId: string, action: WhyActionName, wait: OpenWait | undefined, { tokenIds }: View): WhyAction {
  const { scope, path: end, field } = WHY_ACTIONS[action];
  const { name, tokenId } = wait ?? {};
  const token = tokenId === undefined ? "" : `/${encodeURIComponent(tokenId)}`;
  return {
    action,
    scope,
    path: tokenId === undefined || tokenIds ? `${pathOfRun(runId)}/${end}${token}` : undefined,
    body: field && { [field]: name ?? "" },
  };
}
