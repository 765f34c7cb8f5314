/**
 * Oracles on the deliveries and the answers to tokens that callers made.
 */
import { type RunRows, describeLeftOver } from "@holdfast/orchestrator";
import { decodeValue, isOutcome, isTerminal, parseOperationId } from "@holdfast/protocol";
import type { ObservedRun } from "./observed-run.ts";

interface Buffered {
  readonly kind: string;
  readonly name: string;
  readonly deliveryId?: string | undefined;
}

/**
 * Every acknowledged delivery is once in the journal or in the inbox, in the order of arrival (WAIT2, WAIT3). The record of
 * an ended run lists those in the inbox (WAIT12).
 */
export function checkAcknowledged({ host, acknowledged, inOrder, resumed }: ObservedRun): string[] {
  if (resumed) return [];
  const taken = new Map<string, string[]>();
  const take = (key: string, id: string): unknown => taken.set(key, [...(taken.get(key) ?? []), id]);
  for (const entry of host.journal) {
    if (entry.type !== "wait.resolved" || entry.deliveryId === undefined) continue;
    const { kind, name } = parseOperationId(entry.op);
    take(`${kind} ${name}`, entry.deliveryId);
  }
  for (const { kind, name, deliveryId } of buffered(host)) take(`${kind} ${name}`, deliveryId ?? "");
  return ["signal", "event"].flatMap((on) =>
    ["a", "b", "c"].flatMap((name) => {
      const [wanted, found] = [acknowledged(on, name), taken.get(`${on} ${name}`) ?? []];
      const same = inOrder ? wanted.join() === found.join() : wanted.toSorted().join() === found.toSorted().join();
      return same ? [] : [`the deliveries of ${on} ${name} are [${found.join()}] instead of [${wanted.join()}]`];
    }),
  );
}

/**
 * Every acknowledged answer to a token is what its wait received, or the record lists it (WAIT7, WAIT12).
 */
export function checkAnswers({ host, answered }: ObservedRun): string[] {
  const left = new Set(buffered(host).map(({ kind, name }) => `${kind} ${name}`));
  return answered.flatMap(([tokenId, answer]) => {
    const { op } = host.store.get(`token/${tokenId}`) as RunRows["token/"];
    const end = host.journal.find((entry) => entry.op === op && entry.type.startsWith("wait.") && isOutcome(entry));
    if (end?.type === "wait.resolved" && decodeValue(end.value) === answer) return [];
    // A wait that is let go during a pause leaves the answer that was buffered before.
    if ((end === undefined || end.type === "wait.released") && left.has(`token ${tokenId}`)) return [];
    return [`the answer ${answer} to ${op} was acknowledged, but the token ended with ${end?.type ?? "nothing"}`];
  });
}

/** The deliveries that no wait has taken: as the record lists them, or as they are stored while the run has not ended. */
function buffered({ host, header, store }: ObservedRun["host"]): readonly Buffered[] {
  if (isTerminal(header.status)) return describeLeftOver(host.state)?.deliveries ?? [];
  return [...store.list("inbox/")].map(([, row]) => row as Buffered);
}
