/**
 * Questions to holders (L2).
 *
 * Owns: when a holder is asked whether it still holds, and what its answer changes. A short run is not asked. A holder that
 * does not answer keeps its place and is asked again.
 */
import { HOST_LIMITS, defined } from "@holdfast/protocol";
import type { SendResult } from "../host/outbox-sender.ts";
import { type Draft, Holders, addressOf, nameOf } from "./holders.ts";
import type { HoldProbe, HolderAnswer, HolderMessage } from "./messages.ts";
import { setBackBy } from "./queue.ts";
import { type HeldRow, heldKey } from "./rows.ts";

/** How many holders one alarm asks. The next alarm follows at once. */
const PROBES_PER_ALARM = 100;

/** Asks the holders that are due, and returns when the next one is due, ms since 1970. */
export function probeHolders(holders: Holders): number | undefined {
  const { draft } = holders;
  let next = Infinity;
  let asked = 0;
  for (const [key, row] of holders.all()) {
    if (row.released === true) continue;
    // The outbox asks by the grant.
    const isDue = row.probeAt <= draft.now && row.granting === undefined;
    if (isDue && asked < PROBES_PER_ALARM) {
      asked += 1;
      const probe: HoldProbe = { type: "probeHold", gate: nameOf(draft), hold: row.hold };
      draft.ask(addressOf(row.hold), probe);
      const probeAt = draft.now + HOST_LIMITS.probeMsMin;
      holders.put(key, { ...row, probeAt });
      next = Math.min(next, probeAt);
    } else {
      next = Math.min(
        next,
        row.granting === undefined ? row.probeAt : Math.max(row.probeAt, draft.now + HOST_LIMITS.probeMsMin),
      );
    }
  }
  return next === Infinity ? undefined : next;
}

/**
 * Moves the times back with the clock: starts that the rate has reserved keep their distance, those who hold come before
 * later ones (GATE2), and are asked soon (CO4).
 */
export function clockBack(draft: Draft, ms: number): void {
  const { tat, probeAt } = draft.header;
  const soon = draft.now + HOST_LIMITS.probeMsMin;
  draft.change({ tat: tat && tat - ms, probeAt: probeAt && Math.min(probeAt, soon), setBack: setBackBy(draft, ms) });
  const holders = new Holders(draft);
  for (const [key, row] of holders.all()) {
    const { startAt, since } = row;
    const times = { since: since - ms, startAt: startAt && startAt - ms, probeAt: Math.min(row.probeAt, soon) };
    holders.put(key, defined({ ...row, ...times }));
  }
}

/** Handles the answer of a run to a grant, a drop or a probe. */
export function holderAnswered(holders: Holders, message: HolderMessage, result: SendResult): void {
  const key = heldKey(message.hold);
  const row = holders.get(key);
  if (row === undefined) return;
  if (result.type === "unreachable") return noteUnreachable(holders, key, row);
  const answer = result.type === "refused" ? "not_found" : readAnswer(result.answer);
  switch (answer) {
    case "accepted":
      if (message.type === "grant") confirm(holders, key, { ...row, granting: undefined });
      return;
    case "holds":
      return confirm(holders, key, row);
    case "wants":
      return wants(holders, key, row);
    case "declined":
    case "free":
    case "not_found":
      // A descendant may still execute under it.
      return holders.release(key);
    case undefined:
  }
}

function confirm(holders: Holders, key: string, row: HeldRow): void {
  const { probeMsFirst, probeMsMax } = HOST_LIMITS;
  const delay = Math.min(probeMsFirst * 2 ** Math.min(row.probes, 10), probeMsMax);
  const probeAt = holders.draft.now + delay;
  holders.put(key, { ...row, probes: row.probes + 1, probeAt, unreachableSince: undefined });
}

/** The run has not received that it holds: the answer to its acquire was lost. */
function wants(holders: Holders, key: string, row: HeldRow): void {
  if (row.granting === true) return;
  holders.put(key, { ...row, granting: true, unreachableSince: undefined });
  holders.postGrant(row.hold, row.startAt);
}

function noteUnreachable(holders: Holders, key: string, row: HeldRow): void {
  if (row.unreachableSince !== undefined) return;
  holders.put(key, { ...row, unreachableSince: holders.draft.now });
}

function readAnswer(answer: unknown): HolderAnswer["type"] | undefined {
  return isAnswer(answer) ? answer.type : undefined;
}

function isAnswer(answer: unknown): answer is HolderAnswer {
  return typeof answer === "object" && answer !== null && "type" in answer;
}

export function isHolderMessage(message: object): message is HolderMessage {
  return "type" in message && ["grant", "drop", "probeHold"].includes(String(message.type));
}
