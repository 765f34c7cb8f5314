/**
 * Oracles on asks: answers that fit, and the list of open asks.
 */
import { openAsks } from "@holdfast/orchestrator";
import { decodeValue } from "@holdfast/protocol";
import { isAnswer } from "../answers.ts";
import type { ObservedRun } from "./observed-run.ts";

/** Only an answer that fits ends an ask, and at most one answer is acknowledged (ASK4). */
export function checkAsks({ host, answered }: ObservedRun): string[] {
  const asked = new Set(host.journal.flatMap((entry) => ("ask" in entry && entry.ask !== undefined ? [entry.op] : [])));
  const misfits = host.journal.flatMap((entry) => {
    const isEnd = entry.type === "wait.resolved" && asked.has(entry.op);
    return isEnd && !isAnswer(decodeValue(entry.value)) ? [`${entry.op} ended with the answer ${entry.value}`] : [];
  });
  const tokens = answered.map(([tokenId]) => tokenId);
  const twice = tokens.filter((tokenId, place) => tokens.indexOf(tokenId) < place);
  return [...misfits, ...twice.map((tokenId) => `the token ${tokenId} was answered twice`)];
}

/** While no update of the index is pending, its row has the open asks of the run (ASK5). */
export function checkListedAsks({ host, listed }: Pick<ObservedRun, "host" | "listed">): string[] {
  if (!host.triggered || listed === undefined || host.header.index === undefined) return [];
  if (host.header.index.owed !== undefined) return [];
  const open = openAsks(host.header).map(({ op }) => op);
  const shown = (listed.asks ?? []).map(({ op }) => op);
  return open.toSorted().join() === shown.toSorted().join()
    ? []
    : [`the index lists the asks [${shown.join()}] instead of [${open.join()}]`];
}
